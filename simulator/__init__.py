"""A caller as Vapi plays one. It knows the wire and nothing of the server.

- `script`, `reading`: what a call is to be, as a YAML file, and what is wrong with one
- `player`: plays a script; `expectations`: what must have been heard and done; `report`: all that happened
- `call`: one phone call, step by step, for those who make the steps themselves; `turn`, `request`: what is under way
- `speaking`: words and pauses in time; `listening`: a reply as it is heard; `history`, `body`: what is sent
- `transport` (HTTP) and `in_process` (an ASGI app), one protocol; `replies`: the stream of a chat completion
- `virtual_time`: an event loop whose time jumps, so that a call of minutes is played in milliseconds
- `callers`: many at once; `latencies`, `plot`: how soon the first word came
"""
