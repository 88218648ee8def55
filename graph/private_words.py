"""What the caller said word for word, digits of PINs and all: beside the state of a turn, never in it.

The state is what models, traces and streams see: before anything enters it, PINs, card numbers and phone numbers are
masked in the messages, and tags are taken out. The two nodes that must know a card's last four or a PIN read the
caller's own words from here. Studio alone hands in what is typed, and keeps it: it serves a demo ledger only.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage

from graph.history import all_turns, resolved_caller
from graph.lines import fillers
from graph.state import InputState
from teller.caller import without_phone_numbers, without_phone_tags
from teller.cards.dialogue import Turn
from teller.cards.masking import MASK, masked_user_turns, without_spoken_card_numbers
from teller.cards.pin_words import says_pin
from teller.cards.spoken import HESITATIONS, heard_words
from teller.redaction import without_card_numbers

PrivateWords = tuple[str, ...]
"""The caller's own words, one text for each of his messages."""

_MASKED = re.compile(
    r"(?:[,.;]?\s*(?:and|with)?\s*(?:here(?:'s| is)|(?:i can |i'll |i )?(?:give|tell) you|take|use)?\s*(?:my|the)?\s*"
    rf"\bpin\b(?:\s+(?:code|number))?(?:,?\s+(?:is|it's|its|it is)|:)?\s*)?{re.escape(MASK)}",
    re.IGNORECASE,
)

_words: ContextVar[PrivateWords | None] = ContextVar("private_words", default=None)


def set_apart(given: InputState) -> tuple[InputState, PrivateWords]:
    """Return what may enter the graph, with its caller read from the tags too, and apart from it the caller's words."""
    messages = [_without_numbers(message) for message in given["messages"]]
    history = all_turns(messages)
    masked = iter(masked_user_turns(history, fillers()))
    kept = [_with_text(one, next(masked) if isinstance(one, HumanMessage) else one.text) for one in messages]
    caller = resolved_caller(given.get("caller"), given["messages"])
    return {**given, "messages": kept, "caller": caller}, tuple(turn.text for turn in history if turn.role == "user")


def without_masks(text: str) -> str:
    """Return a masked text without "my PIN is [digits]", for who asks what is wished; as it is if nothing else is."""
    if MASK not in text:
        return text
    return _MASKED.sub(" ", " ".join(text.split())).strip(" ,.;") or text  # it takes the fourth power of a gap in time


def gives_a_pin(text: str) -> bool:
    """Return whether a masked text is the digits of a PIN and nothing else, or says them as a PIN."""
    said = heard_words(text.replace(MASK, " "))
    return MASK in text and (says_pin(text) or HESITATIONS.issuperset(said))


@contextmanager
def within_reach(words: PrivateWords) -> Iterator[None]:
    """Let the nodes of a turn, which run in tasks that begin in this block, read the caller's own words."""
    token = _words.set(words)
    try:
        yield
    finally:
        _words.reset(token)


def private_turns(messages: Sequence[AnyMessage]) -> list[Turn]:
    """Return the conversation in the caller's own words, for cards and PINs; blank turns are dropped."""
    words = _words.get()
    history = all_turns(messages)
    if words is not None:
        own = iter(words)
        history = [Turn(role, next(own, text) if role == "user" else text) for role, text in history]
    return [turn for turn in history if turn.text]


def _without_numbers(message: AnyMessage) -> AnyMessage:
    """Return the message without card numbers, phone numbers and their tags; as it is where it holds none.

    Tools are called with what the caller said, so an assistant's calls are looked through as its words are.
    """
    text = without_phone_tags(message.text) if isinstance(message, HumanMessage | SystemMessage) else message.text
    message = _with_text(message, _masked(text))
    if not isinstance(message, AIMessage):
        return message
    calls = {
        "tool_calls": [{**call, "args": _looked_through(call["args"])} for call in message.tool_calls],
        "invalid_tool_calls": [{**call, "args": _masked(call["args"])} for call in message.invalid_tool_calls],
        "additional_kwargs": _looked_through(message.additional_kwargs),
    }
    changed = any(value != getattr(message, name) for name, value in calls.items())
    return message.model_copy(update=calls) if changed else message


def _looked_through(held: dict[str, Any]) -> Any:
    """Return what an object holds, masked; nothing of one that is nested too deeply to be looked through."""
    try:
        return _masked(held)
    except RecursionError:
        return {}


def _masked(value: Any) -> Any:
    """Return a text, or what JSON can hold of texts and numbers, without card numbers and phone numbers."""
    match value:
        case str():
            return without_phone_numbers(without_spoken_card_numbers(without_card_numbers(value)))
        case int() | float() if (text := _masked(str(value))) != str(value):
            return text
        case list():
            return [_masked(one) for one in value]
        case dict():
            return {name: _masked(one) for name, one in value.items()}
        case _:
            return value


def _with_text(message: AnyMessage, text: str) -> AnyMessage:
    """Return the message with this text as its whole content: parts that are no text were never looked at."""
    return message if text == message.content else message.model_copy(update={"content": text})
