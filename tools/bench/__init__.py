"""What `make bench` measures: pace, calls, memory and size. Prints Markdown for the README."""
