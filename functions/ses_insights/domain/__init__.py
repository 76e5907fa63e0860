"""What is decided: pure, standard library only."""
