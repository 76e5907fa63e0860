"""SES Insights: what became of every mail that was sent.

handlers   the Lambda entry points, which wire the parts together
service    what is done, in terms of ports
domain     what is decided: pure, standard library only
contracts  names and formats that others rely on: pure
adapters   what talks to AWS
cli        the command `insights`

Imports run one way: domain < contracts < {service, adapters} < {handlers, cli}.
"""
