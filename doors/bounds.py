"""How many messages a conversation may have, and how long each may be: 400 above it."""

from collections.abc import Sequence

from doors.errors import invalid
from teller.settings import Settings


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
