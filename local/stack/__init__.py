"""The stack on this machine: sandbox, emulator, deployment, faults, and how to look at it."""
