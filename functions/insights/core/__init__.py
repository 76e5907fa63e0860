"""What a response means, what to alert on, when to look again, when the next call may start."""
