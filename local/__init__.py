"""The service on this machine, with nothing outside loopback: `make demo` and `make local`.

stack         the real stack: emulator, deployment, sandbox, faults
ses_stand_in  answers as SES does
actors        who uses the service: pipeline, subscriber, operator
scenario      what the demo and the end-to-end tests send
"""
