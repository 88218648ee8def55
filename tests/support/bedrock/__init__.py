"""A Bedrock on the wire, for tests: Nova through Converse and ConverseStream, and Titan's embeddings.

A process of its own (`python -m tests.support.bedrock --port 8123`); a test starts one with `client.BedrockWire`. It
speaks Bedrock's real wire form, refuses what Nova refuses, answers by documented rules, and fails as a script says.

- `server`: the paths, and the order in which a request is judged and answered
- `script`: what a test may ask for, field by field (`POST /script`)
- `answers`, `arguments`: what it says, and which tools it calls with what, when no script tells it
- `validate`, `credentials`, `models`: what it refuses; `faults`: in which words and with which HTTP code
- `usage`: tokens and the prompt cache; `titan`: embeddings
- `stream`, `framing`: an answer as events, an event as bytes
- `http`, `record`: a connection that can be cut, and what is remembered of each request
"""
