"""The service on this machine, with nothing outside loopback: `make demo` and `make local`.

stack         the real stack: emulator, deployment, sandbox, faults
ses_stand_in  answers as SES does
actors        users of the service: pipeline, subscriber, operator
scenario      what the demo sends, and when it shows
expectations  holds rows and alerts against the stories
"""
