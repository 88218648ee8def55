"""A Bedrock on the wire, for tests: Nova through Converse and ConverseStream, and Titan's embeddings.

A process of its own (`python -m tests.support.bedrock --port 8123`); a test starts one with `client.BedrockWire`. It
speaks Bedrock's real wire form, refuses what Nova refuses, answers by documented rules, and fails as a script says.

- `server`: the paths, and the order in which a request is judged and answered
- `script`: what a test may ask for, field by field (`POST /script`)
- `answers`, `arguments`: what it says, and which tools it calls with what, when no script tells it
- `validate`, `validate_tools`, `checks`, `credentials`, `models`: what it refuses; `faults`: in which words, with which
  HTTP code
- `usage`: tokens and the prompt cache; `titan`: embeddings
- `stream`, `framing`, `delivery`: an answer as events, an event as bytes, and how they are sent or broken off
- `http`, `record`: a connection that can be cut, and what is remembered of each request
"""
