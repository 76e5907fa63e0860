"""Names and formats that others rely on. Pure."""
