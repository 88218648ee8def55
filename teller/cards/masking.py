"""What may not travel with the messages: the digits of PINs, and card numbers read out digit by digit."""

import re
from collections.abc import Sequence

from teller.cards.dialogue import Turn, ends_nothing
from teller.cards.pin_words import says_pin
from teller.cards.spoken import HESITATIONS, NUMBER_WORDS, heard_words

MASK = "[digits]"

_NUMBER = rf"(?:\d+|o|{'|'.join(sorted(NUMBER_WORDS, key=len, reverse=True))})"
_RUN = re.compile(rf"\b{_NUMBER}(?:(?:[\s,.\-\u2013/]|\band\b)+{_NUMBER})*\b", re.IGNORECASE)
_CARD_NUMBER = range(13, 20)  # digits


def masked_user_turns(history: Sequence[Turn], fillers: Sequence[str] = ()) -> list[str]:
    """Return the caller's turns as they may be kept, logged and shown to a model, oldest first.

    Where a turn says PIN, or follows a PIN question that no other turn has ended yet, runs of two or more digits or
    number words are masked; a turn of nothing but digits always is. So is every card number, to its last four.
    """
    asked, kept = False, list[str]()
    for role, text in history:
        if role == "assistant":
            asked = says_pin(text) or (asked and ends_nothing(text, fillers))
            continue
        text = _RUN.sub(_without_card_number, text)
        if _nothing_but_digits(text):
            kept.append(_RUN.sub(MASK, text))
        else:
            kept.append(_RUN.sub(_masked, text) if asked or says_pin(text) else text)
    return kept


def _without_card_number(run: re.Match[str]) -> str:
    digits = "".join(heard_words(run[0]))
    return f"[card ending {digits[-4:]}]" if digits.isdigit() and len(digits) in _CARD_NUMBER else run[0]


def _masked(run: re.Match[str]) -> str:
    digits = "".join(heard_words(run[0]))
    return run[0] if digits == "one" or len(digits) == 1 else MASK


def _nothing_but_digits(text: str) -> bool:
    words = heard_words(text)
    return any(word.isdigit() for word in words) and all(word.isdigit() or word in HESITATIONS for word in words)
