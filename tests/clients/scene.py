"""What a client is told to ask, and what came of it: the same for every client, in Python or in Node."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells the weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
TIME: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_time",
        "description": "Tells the time in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
END_CALL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "endCall",
        "description": "Ends the call.",
        "parameters": {"type": "object", "properties": {}},
    },
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing to ask. `retries`: how often the client tries again by itself, where it can be told.

    `results`: where the assistant calls tools, their results go back and it is asked once more. `stop_after`: after so
    many pieces the client stops reading. `patience`: seconds after which it gives up waiting for the reply.
    """

    base_url: str
    said: str
    stream: bool
    api_key: str = "s3cret"
    tools: Sequence[Mapping[str, Any]] = ()
    results: Mapping[str, str] | None = None
    temperature: float = 0.5
    include_usage: bool = False
    stop_after: int | None = None
    patience: float = 20
    retries: int = 0


@dataclass(frozen=True, slots=True)
class Called:
    """A call of a tool, as the client's own types have it."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Failed:
    """The error that the client raised; status None: not an HTTP status, but the stream itself told of a failure."""

    status: int | None
    type: str | None
    param: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What the client made of it. `pieces`: how many pieces of text came; `tokens`: prompt and completion."""

    text: str = ""
    pieces: int = 0
    finish: str | None = None
    calls: Sequence[Called] = field(default_factory=tuple)
    tokens: tuple[int, int] | None = None
    failed: Failed | None = None
    gave_up: bool = False


Client = Callable[[Ask], Heard]
"""A way to ask."""
