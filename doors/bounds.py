"""How much a conversation may hold: of messages and their length (400 above it), and of blanks in a row."""

import re
from collections.abc import Sequence

from doors.errors import invalid
from teller.settings import Settings

_GAP = re.compile(r"(\s{20})\s+")


def without_long_gaps(text: str) -> str:
    """Cut runs of blanks to 20: they say nothing, and what reads a text may need their square in time."""
    return _GAP.sub(r"\1", text)


def refuse_too_much(texts: Sequence[str], settings: Settings, where: str = "messages") -> None:
    """Refuse a conversation with too many messages, or with one that is too long; `texts` are theirs.

    Raises:
        ApiError: 400, naming which.
    """
    if len(texts) > settings.max_messages:
        raise invalid(f"{where}: at most {settings.max_messages:,} are taken.", where)
    for place, text in enumerate(texts):
        if len(text) > settings.max_message_chars:
            param = f"{where}.{place}.content"
            raise invalid(f"{param}: at most {settings.max_message_chars:,} characters are taken.", param)
