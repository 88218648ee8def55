"""The reply: server-sent frames while the turn speaks, or one object when it has ended."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from time import time
from uuid import uuid4

import structlog
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from doors.errors import ErrorBody, api_error
from doors.openai.schema import ChatCompletion, Choice, ReplyMessage, Usage
from graph.events import Finish, Progress, Speaking, TurnEvent
from graph.turn import RunningTurn

_log = structlog.get_logger(__name__)

_DONE = b"data: [DONE]\n\n"


@dataclass(slots=True)
class Opening:
    """What is known of a turn before its first word: who speaks, its routes, and how long each node needed."""

    model: str = ""
    routes: tuple[str, ...] = ()
    timings: list[str] = field(default_factory=list)

    def note(self, event: TurnEvent) -> None:
        """Take in an event."""
        match event:
            case Progress():
                self.routes = event.routes or self.routes
                self.timings.append(f"{event.node};dur={event.milliseconds:.1f}")
            case Speaking():
                self.model = event.model

    @property
    def headers(self) -> dict[str, str]:
        """The headers that tell it."""
        return {"x-teller-routes": ",".join(self.routes), "server-timing": ", ".join(self.timings)}


async def opening_of(turn: RunningTurn) -> Opening:
    """Wait until the turn is about to speak.

    Raises:
        Exception: what a node raised; nothing was said then, so it can be a real HTTP status.
    """
    opening = Opening()
    async for event in turn:
        opening.note(event)
        if isinstance(event, Speaking):
            break
    return opening


async def whole_reply(turn: RunningTurn) -> tuple[ChatCompletion, Opening]:
    """Return the reply that is not a stream."""
    opening, pieces = Opening(), list[str]()
    finish = Finish("stop", "")
    async for event in turn:
        opening.note(event)
        if isinstance(event, str):
            pieces.append(event)
        elif isinstance(event, Finish):
            finish = event
    choice = Choice(message=ReplyMessage(content="".join(pieces)), finish_reason=finish.reason)
    reply = ChatCompletion(
        id=_new_id(), created=int(time()), model=finish.model, choices=[choice], usage=usage_of(finish)
    )
    return reply, opening


class TurnStream(StreamingResponse):
    """The stream of a turn. However it ends, sent whole or hung up on, nothing of the turn is left running."""

    def __init__(self, turn: RunningTurn, opening: Opening, *, include_usage: bool) -> None:
        headers = {"cache-control": "no-cache", "x-accel-buffering": "no", **opening.headers}
        frames = _frames(turn, opening.model, include_usage=include_usage)
        super().__init__(frames, headers=headers, media_type="text/event-stream")
        self._turn = turn

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._turn.cancel()


def usage_of(finish: Finish) -> Usage:
    """Return a turn's token counts in OpenAI's form."""
    total = finish.prompt_tokens + finish.completion_tokens
    return Usage(prompt_tokens=finish.prompt_tokens, completion_tokens=finish.completion_tokens, total_tokens=total)


async def _frames(turn: RunningTurn, model: str, *, include_usage: bool) -> AsyncIterator[bytes]:
    frame = _Frame(model, include_usage)
    yield frame.delta({"role": "assistant", "content": ""})
    finish = Finish("stop", model)
    try:
        async for event in turn:
            if isinstance(event, str):
                yield frame.text(event)
            elif isinstance(event, Finish):
                finish = event
    except Exception as failure:  # whatever it is, the client must not take the cut text for an answer
        _log.error("turn failed while speaking", error=type(failure).__name__)
        yield frame.delta({}, "error", error=api_error(failure).body)
        yield _DONE
        return
    yield frame.delta({}, finish.reason)
    if include_usage:
        yield frame.usage(usage_of(finish))
    yield _DONE


class _Frame:
    """Frames of one reply: they share id, time and model; a text frame is put together from parts encoded once."""

    def __init__(self, model: str, include_usage: bool) -> None:
        head = {"id": _new_id(), "object": "chat.completion.chunk", "created": int(time()), "model": model}
        self._head = _compact(head)[:-1]
        self._tail = ',"usage":null}\n\n' if include_usage else "}\n\n"

    def text(self, text: str) -> bytes:
        delta = f'{{"index":0,"delta":{{"content":{json.dumps(text, ensure_ascii=False)}}},"finish_reason":null}}'
        return f'data: {self._head},"choices":[{delta}]{self._tail}'.encode()

    def delta(self, delta: dict[str, str], finish_reason: str | None = None, error: ErrorBody | None = None) -> bytes:
        choices = _compact([{"index": 0, "delta": delta, "finish_reason": finish_reason}])
        failure = f',"error":{error.model_dump_json()}' if error else ""
        return f'data: {self._head},"choices":{choices}{failure}{self._tail}'.encode()

    def usage(self, usage: Usage) -> bytes:
        return f'data: {self._head},"choices":[],"usage":{usage.model_dump_json()}}}\n\n'.encode()


def _new_id() -> str:
    return f"chatcmpl-{uuid4().hex}"


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
