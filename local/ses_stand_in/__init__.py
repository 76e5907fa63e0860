"""The SES stand-in: answers as SES does, on 127.0.0.1 only.

It serves SendEmail, GetMessageInsights, the account's suppression list and GetAccount.

stories   what can become of a mail, and what the service must make of it (pure)
mail      a mail that was sent, and what SES knows of it at a given time (pure)
suppression  the account's suppression list (pure)
pace      the rate limit, the log of the calls, and the report on them (pure)
settings  the switches: VDM, speed, rate period, latency, faults (pure)
wire      the wire format: botocore's model, SES's errors, the signature
account   what the stand-in knows, and what it answers to a call (pure)
server    the HTTP handlers around it
serving   serving them on loopback; `python -m local.ses_stand_in` is the process
clock     the machine's clocks
control   a client for the switches, the report and the mail that was sent
"""
