"""The local run: the real stack on this machine, with nothing outside loopback.

sandbox     the one environment of every process and client of the run (pure)
process     child processes that end with the run
emulator    ministack, the local AWS
deployment  the CDK CLI: synth, bootstrap, deploy
run         all of it together: what the demo, the tests and `make local` start
ses         the SES stand-in
"""
