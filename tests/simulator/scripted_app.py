"""A small server that answers as a test says, and remembers what it was asked and when it was hung up on."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from simulator.in_process import Message
from simulator.script import Setting

QUIET = Setting(system=None, opening="Hello.")
"""A call with as little in its history as there can be."""


@dataclass
class Answer:
    """What is said: words `every` so many seconds after `first`; and how it ends."""

    text: str = "Here you are."
    first: float = 0.0
    every: float = 0.0
    status: int = 200
    tool: tuple[str, str] | None = None
    finish: str | None = "stop"


@dataclass
class Seen:
    """One request, as the server saw it; times are the loop's."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    at: float
    hung_up_at: float | None = None
    sent: list[str] = field(default_factory=list)


class ScriptedApp:
    """An ASGI app; its answers are used up in order, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers) or [Answer()]
        self.seen: list[Seen] = []

    @property
    def said_by_user(self) -> list[str]:
        """The last message of each request, where it is the user's."""
        last = [seen.body["messages"][-1] for seen in self.seen]
        return [message["content"] for message in last if message["role"] == "user"]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        loop = asyncio.get_running_loop()
        body = json.loads((await receive())["body"])
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        seen = Seen(scope["path"], body, headers, loop.time())
        self.seen.append(seen)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        work = asyncio.create_task(self._answer(answer, seen, send))
        left = asyncio.create_task(receive())
        await asyncio.wait({work, left}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            seen.hung_up_at = loop.time()
        work.cancel()
        left.cancel()
        await asyncio.wait({work, left})

    async def _answer(self, answer: Answer, seen: Seen, send: Any) -> None:
        await asyncio.sleep(answer.first)
        if answer.status != 200 or "events" in seen.path:
            error = {"error": {"message": "no", "type": "server_error", "param": None, "code": None}}
            await _head(send, answer.status, b"application/json")
            await send(_part(json.dumps(error).encode(), more=False))
            return
        await _head(send, 200, b"text/event-stream")
        for number, word in enumerate(answer.text.split()):
            await asyncio.sleep(answer.every if number else 0)
            seen.sent.append(word)
            await send(_part(_frame({"content": word + " "})))
        if answer.tool:
            function = {"name": answer.tool[0], "arguments": answer.tool[1]}
            call = {"index": 0, "id": "call_1", "type": "function", "function": function}
            await send(_part(_frame({"tool_calls": [call]})))
        if answer.finish:
            await send(_part(_frame({}, answer.finish) + b"data: [DONE]\n\n", more=False))

    async def _live(self, receive: Any, send: Any) -> None:
        for phase in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{phase}.complete"})


async def _head(send: Any, status: int, kind: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})


def _part(content: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": more}


def _frame(delta: dict[str, Any], finish: str | None = None) -> bytes:
    frame = {"model": "scripted", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    return f"data: {json.dumps(frame)}\n\n".encode()
