"""The Lambda entry points, and the only places where parts are put together."""
