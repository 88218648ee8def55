"""What the bank has written down, and how it is found."""
