"""The messages of a turn, as the nodes read them."""

from collections.abc import Sequence

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage

from teller.caller import Caller, Trust, agree, phone_tag, without_phone_tags
from teller.cards.dialogue import Turn

_LONGEST_TURN = 20_000


def spoken_turns(messages: Sequence[AnyMessage]) -> list[Turn]:
    """Return what the user and the assistant said, tags taken out; blank turns (cut at once) are dropped."""
    return [turn for turn in all_turns(messages) if turn.text]


def all_turns(messages: Sequence[AnyMessage]) -> list[Turn]:
    """Return a turn for every message of the user and the assistant, blank ones too; tags taken out."""
    return [
        Turn("user" if isinstance(message, HumanMessage) else "assistant", without_phone_tags(message.text).strip())
        for message in messages
        if isinstance(message, HumanMessage | AIMessage)
    ]


def user_turns(messages: Sequence[AnyMessage]) -> list[str]:
    """Return what the user said, oldest first."""
    return [turn.text for turn in spoken_turns(messages) if turn.role == "user"]


def turn_text(history: Sequence[Turn]) -> str:
    """Return what the user said since the assistant last spoke, joined: recognisers cut one sentence into turns.

    Of more than 20,000 characters, a quarter of an hour's speech, the end: reading a megabyte would hold up everybody.
    """
    parts: list[str] = []
    for turn in reversed(history):
        if turn.role != "user":
            break
        parts.insert(0, turn.text)
    return " ".join(parts)[-_LONGEST_TURN:]


def earlier_turns(history: Sequence[Turn]) -> list[str]:
    """Return what the user said before the assistant last spoke, oldest first."""
    last = max((i for i, turn in enumerate(history) if turn.role == "assistant"), default=0)
    return [turn.text for turn in history[:last] if turn.role == "user"]


def resolved_caller(named: Caller | None, messages: Sequence[AnyMessage]) -> Caller:
    """Return the caller on whom the door and the tags in the messages agree (a later user tag replaces an earlier)."""
    sources = [Caller.model_validate(named)] if named else []  # Studio hands in what was typed, as a dict
    tags: dict[Trust, str] = {}
    for message in messages:
        if isinstance(message, HumanMessage | SystemMessage) and (phone := phone_tag(message.text)):
            tags[Trust.CLAIMED if isinstance(message, HumanMessage) else Trust.ASSERTED] = phone
    return agree(sources + [Caller(phone=phone, trust=trust) for trust, phone in tags.items()])
