"""The command line tool `insights`. Nothing of it is packed into the functions.

commands     one module for each command
app          the commands, put together
deployment   finds the stack by its outputs, and reads its table
state, search, ids, sending, dead_letters, erasing
             what several commands need, or one command does at AWS
options, output, errors
             options in common, printing, and failures in one sentence
"""
