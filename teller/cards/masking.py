"""What may not travel with the messages: the digits of PINs, and card numbers read out digit by digit."""

import re
from collections.abc import Sequence

from teller.cards.dialogue import Turn, ends_nothing
from teller.cards.pin_words import says_pin
from teller.cards.spoken import HESITATIONS, NUMBER_WORDS, heard_words

MASK = "[digits]"

_NUMBER = rf"(?:\d+|o|{'|'.join(sorted(NUMBER_WORDS, key=len, reverse=True))})"
_RUN = re.compile(rf"\b{_NUMBER}(?:(?:[\s,.\-\u2013/]|\b(?:and|then)\b)+{_NUMBER})*\b", re.IGNORECASE)
_ZEROS = {"hundred": " 0 0 ", "thousand": " 0 0 0 "}
_HUNDREDS = re.compile(rf"\b(?:{'|'.join(_ZEROS)})\b", re.IGNORECASE)
_CARD_NUMBER = range(13, 20)  # digits


def masked_user_turns(history: Sequence[Turn], fillers: Sequence[str] = ()) -> list[str]:
    """Return the caller's turns as they may be kept, logged and shown to a model, oldest first.

    Where a turn says PIN, or follows a PIN question that no other turn has ended yet, runs of two or more digits or
    number words are masked; a turn of nothing but digits always is. Card numbers are not its business: they are masked
    in every message (`without_spoken_card_numbers`), so before.
    """
    asked, kept = False, list[str]()
    for role, text in history:
        if role == "assistant":
            asked = says_pin(text) or (asked and ends_nothing(text, fillers))
            continue
        if _nothing_but_digits(text):
            kept.append(_RUN.sub(MASK, text))
        else:
            kept.append(_RUN.sub(_masked, text) if asked or says_pin(text) else text)
    return kept


def without_spoken_card_numbers(text: str) -> str:
    """Return a text with every card number, in digits, words or both, cut to its last four."""
    return _RUN.sub(_without_card_number, text)


def _without_card_number(run: re.Match[str]) -> str:
    counted = _HUNDREDS.sub(lambda word: _ZEROS[word[0].lower()], run[0])
    digits = "".join("1" if word == "one" else word for word in heard_words(counted) if word not in ("and", "then"))
    return f"[card ending {digits[-4:]}]" if digits.isdigit() and len(digits) in _CARD_NUMBER else run[0]


def _masked(run: re.Match[str]) -> str:
    digits = "".join(heard_words(run[0]))
    return run[0] if digits == "one" or len(digits) == 1 else MASK


def _nothing_but_digits(text: str) -> bool:
    words = heard_words(text)
    return any(word.isdigit() for word in words) and all(word.isdigit() or word in HESITATIONS for word in words)
