"""What `make soak` runs: an hour of looks under backlog, with faults, held against its promises."""
