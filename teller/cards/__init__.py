"""What is true about cards, who may change it, and the proof of it."""
