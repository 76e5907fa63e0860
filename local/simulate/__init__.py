"""Thirty days of mail in virtual time: what the service finds, beside other rules.

The service's own core runs (`insights.core`: ladder, budget, load, pace, merging, alerts). Replaced
are the clock, SES and the storage.
"""
