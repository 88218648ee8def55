"""The models Teller answers and embeds with."""
