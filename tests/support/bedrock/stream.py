"""An answer in the forms of the wire: the events of a stream, or a message."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.support.bedrock import framing
from tests.support.bedrock.answers import Answer
from tests.support.bedrock.script import Behaviour

_INPUT_PIECE = 8
_PADDING = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Frame:
    """A framed event; a delta carries a piece of the answer."""

    data: bytes
    is_delta: bool = False


def frames(answer: Answer, behaviour: Behaviour, metadata: Mapping[str, Any]) -> list[Frame]:
    """Return the frames of a whole stream."""
    return [
        _frame("messageStart", {"role": "assistant"}),
        *_blocks(answer, behaviour),
        _frame("messageStop", {"stopReason": answer.stop_reason}),
        _frame("metadata", metadata),
    ]


def message(answer: Answer) -> dict[str, Any]:
    """Return an answer as the message of one that is no stream."""
    content: list[Mapping[str, Any]] = []
    if answer.reasoning:
        content.append({"reasoningContent": {"reasoningText": {"text": answer.reasoning}}})
    if answer.text:
        content.append({"text": answer.text})
    content += [
        {"toolUse": {"toolUseId": call.tool_use_id, "name": call.name, "input": call.input}}
        for call in answer.tool_calls
    ]
    return {"role": "assistant", "content": content}


def place_after(whole: Sequence[Frame], deltas: int) -> int:
    """Return how many frames are sent when so many deltas are; messageStart is, and never more than the last delta."""
    places = [place for place, frame in enumerate(whole, start=1) if frame.is_delta]
    return places[min(deltas, len(places)) - 1] if deltas and places else 1


def corrupt(frame: Frame) -> Frame:
    """Return a frame whose message CRC is wrong."""
    return Frame(frame.data[:-1] + bytes([frame.data[-1] ^ 0xFF]), frame.is_delta)


def _blocks(answer: Answer, behaviour: Behaviour) -> Iterator[Frame]:
    index = 0
    if answer.reasoning:
        pieces = _pieces(answer.reasoning, behaviour.every)
        yield from _block(index, ({"reasoningContent": {"text": piece}} for piece in pieces))
        index += 1
    if answer.text:
        yield from _block(index, ({"text": piece} for piece in _text_pieces(answer.text, behaviour)))
        index += 1
    for call in answer.tool_calls:
        start = {"toolUse": {"toolUseId": call.tool_use_id, "name": call.name}}
        yield _frame("contentBlockStart", {"start": start, "contentBlockIndex": index})
        pieces = _every(json.dumps(call.input, ensure_ascii=False), behaviour.every or _INPUT_PIECE)
        yield from _block(index, ({"toolUse": {"input": piece}} for piece in pieces))
        index += 1


def _block(index: int, deltas: Iterable[Mapping[str, Any]]) -> Iterator[Frame]:
    for delta in deltas:
        yield _frame("contentBlockDelta", {"delta": delta, "contentBlockIndex": index}, is_delta=True)
    yield _frame("contentBlockStop", {"contentBlockIndex": index})


def _frame(event_type: str, payload: Mapping[str, Any], *, is_delta: bool = False) -> Frame:
    """Return a frame, padded as Bedrock pads: the length of a frame tells nothing of its text."""
    padding = _PADDING[: 1 + len(str(payload)) * 7 % len(_PADDING)]
    return Frame(framing.event(event_type, {**payload, "p": padding}), is_delta)


def _text_pieces(text: str, behaviour: Behaviour) -> list[str]:
    if behaviour.split is not None:
        return behaviour.split
    return _evenly(text, behaviour.chunks) if behaviour.chunks else _pieces(text, behaviour.every)


def _pieces(text: str, every: int | None) -> list[str]:
    """Return a text in pieces of so many characters, or word by word."""
    return _every(text, every) if every else re.findall(r"\S+\s*|\s+", text)


def _every(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def _evenly(text: str, parts: int) -> list[str]:
    places = [place * len(text) // parts for place in range(parts + 1)]
    return [text[start:end] for start, end in pairwise(places) if start < end]
