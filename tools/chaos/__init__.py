"""The real functions against AWS in memory, in virtual time, with a fault possible at every call.

Everything that happens in a run follows from its seed. Run as ``python -m tools.chaos``.
"""
