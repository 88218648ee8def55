"""Nova and Titan on Bedrock, async down to the socket. Open `model.py` first; nothing here is imported without need."""
