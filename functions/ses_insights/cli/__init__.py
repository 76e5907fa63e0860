"""The command line tool `insights`: feeds the service and tends it.

One module for each group of commands; `service` finds the stack and talks to AWS, `printing`
writes, `app` puts everything together. Nothing of it is packed into the functions.
"""
