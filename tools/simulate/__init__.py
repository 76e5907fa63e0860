"""Thirty days of mail in virtual time: what the service finds, beside other rules.

The service's own `domain` runs (ladder, overload, pace, merging, alerts). Replaced
are the clock, SES, its suppression list and the storage.
"""
