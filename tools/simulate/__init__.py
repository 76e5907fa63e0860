"""Thirty days of mail in virtual time: what the service finds, beside other rules.

The service's own core runs (`ses_insights.domain`: ladder, budget, load, pace, merging, alerts). Replaced
are the clock, SES and the storage.
"""
