"""What is done, in terms of ports."""
