"""How the world reaches the graph. A door translates; it decides nothing."""
