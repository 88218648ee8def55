"""Sending an answer, at its pace and up to where its behaviour breaks it off."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any
from uuid import uuid4

from tests.support.bedrock import framing
from tests.support.bedrock.faults import MID_STREAM, BedrockError, bedrock_error
from tests.support.bedrock.http import Exchange, Header
from tests.support.bedrock.record import RecordedRequest
from tests.support.bedrock.script import Behaviour, Ending
from tests.support.bedrock.stream import Frame, corrupt, place_after

JSON: Header = ("Content-Type", "application/json")
_EVENT_STREAM: Header = ("Content-Type", "application/vnd.amazon.eventstream")


async def send_stream(
    exchange: Exchange, entry: RecordedRequest, behaviour: Behaviour, frames: Sequence[Frame]
) -> None:
    """Send an event stream."""
    if behaviour.corrupt_after is not None:
        wrong = place_after(frames, behaviour.corrupt_after)
        frames = [*frames[:wrong], corrupt(frames[wrong]), *frames[wrong + 1 :]]
    ending = behaviour.ending
    await first_token(entry, behaviour)
    sent = _frames_before(ending, frames)
    if sent is not None:
        _head_is_sent(entry)
        exchange.begin([_EVENT_STREAM, request_id()])
        await _send(exchange, entry, frames[:sent], behaviour.chunk_ms / 1000)
        if behaviour.half_frame:
            exchange.send_half(frames[sent].data)
    if ending.how == "exception":
        error = bedrock_error(str(behaviour.exception_mid_stream), behaviour.message)
        _send_exception(exchange, entry, error)
    elif ending.how in ("whole", "clean_end"):
        exchange.end()
        entry.complete = ending.how == "whole"
    else:
        await _cut(exchange, ending)


async def send_whole(
    exchange: Exchange, entry: RecordedRequest, behaviour: Behaviour, body: Mapping[str, Any], *headers: Header
) -> None:
    """Send an answer that is no stream: all of it; or half of its body, or nothing, and a cut."""
    data = json.dumps(body, ensure_ascii=False).encode()
    ending = behaviour.ending
    await first_token(entry, behaviour)
    if ending.how == "whole" or ending.after is not None:
        _head_is_sent(entry)
        sent = len(data) if ending.how == "whole" else len(data) // 2
        exchange.promise(200, [JSON, request_id(), *headers], data, sent)
    entry.complete = ending.how == "whole"
    if not entry.complete:
        await _cut(exchange, ending)


def send_bare(exchange: Exchange, entry: RecordedRequest, status: int, body: str) -> None:
    """Send an error that is not Bedrock's, as a proxy before it gives."""
    _head_is_sent(entry, status)
    exchange.respond(status, [("Content-Type", "text/html")], body.encode())
    entry.complete = True


async def first_token(entry: RecordedRequest, behaviour: Behaviour) -> None:
    """Wait until the model says something; what the server itself took counts."""
    await asyncio.sleep(entry.received_at + behaviour.first_token_ms / 1000 - monotonic())


def request_id() -> Header:
    """Return the header that names a request."""
    return ("x-amzn-RequestId", str(uuid4()))


def _frames_before(ending: Ending, frames: Sequence[Frame]) -> int | None:
    """Return how many frames are sent before the ending; None: not even the head of the response."""
    if ending.how == "whole":
        return len(frames)
    if ending.after is not None:
        return place_after(frames, ending.after)
    return 0 if ending.how in ("exception", "clean_end") else None


async def _send(exchange: Exchange, entry: RecordedRequest, frames: Sequence[Frame], pause: float) -> None:
    """Send frames, the deltas at their pace: counted from the first, so that delays don't add up."""
    clock = asyncio.get_running_loop().time
    began = clock()
    for frame in frames:
        if frame.is_delta:
            if pause and entry.deltas:
                await asyncio.sleep(began + entry.deltas * pause - clock())
            entry.deltas += 1
        exchange.send(frame.data)


def _send_exception(exchange: Exchange, entry: RecordedRequest, error: BedrockError) -> None:
    entry.error, entry.message, entry.complete = error.name, error.message, True
    exchange.send(framing.exception(MID_STREAM[error.name], error.body()))
    exchange.end()


async def _cut(exchange: Exchange, ending: Ending) -> None:
    match ending.how:
        case "reset":
            exchange.connection.reset()
        case "close":
            exchange.connection.close()
        case _:
            await asyncio.Event().wait()  # silent until the client goes


def _head_is_sent(entry: RecordedRequest, status: int = 200) -> None:
    entry.status, entry.first_byte_at = status, monotonic()
