"""The question of a turn, understood in its conversation, without a model call.

A turn that cannot stand alone ("and for the gold one?", "how long does that take") borrows the turn before it.
"""

import re
from collections.abc import Sequence

_OPENERS = re.compile(r"^\s*(?:and|or|but|what about|how about|also|same for|then)\b", re.IGNORECASE)
_POINTERS = re.compile(r"\b(?:it|its|that|this|these|those|they|them|their|one|ones|there|both)\b", re.IGNORECASE)
_SHORT = 4


def standalone_question(user_turns: Sequence[str]) -> str:
    """Return what the last of the user's turns asks, together with the earlier one that it leans on.

    Args:
        user_turns: what the user said, oldest first, at least one turn.
    """
    *earlier, last = user_turns
    if earlier and leans_on_history(last):
        return f"{standalone_question(earlier[-2:])}\n{last}"
    return last


def leans_on_history(turn: str) -> bool:
    """Return whether a turn means little without the one before it: an opener, a pointing word, or very few words."""
    words = turn.split()
    return (
        bool(_OPENERS.match(turn)) or len(words) < _SHORT or (len(words) < 3 * _SHORT and bool(_POINTERS.search(turn)))
    )
