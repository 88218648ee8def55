"""Text, not code: what Teller says, how it instructs a model, and what callers wish."""
