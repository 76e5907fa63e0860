"""What measures and draws: bench, soak, fuzz, simulate, costs, architecture."""
