"""The Lambda entry points. Only they wire the parts together."""
