"""Users of the service in a local run: a send pipeline, a subscriber, an operator."""
