"""The chat-completions door, in OpenAI's format."""
