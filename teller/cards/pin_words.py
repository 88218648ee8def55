"""The digits of a PIN in what a caller says: whole, in pieces, typed, spoken, or together with the wish."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from teller.cards.dialogue import Turn, ends_nothing, runs
from teller.cards.spoken import HESITATIONS, heard_words

PIN_DIGITS = 4

_PIN = r"(?:pin|pins|pincode|passcode)"
_SAYS_PIN = re.compile(rf"\b{_PIN}\b|\bp i n\b")
_BESIDE = re.compile(
    rf"\b(?:{_PIN}|p i n)(?:'s)?(?: (?:code|number|is|it's|its|as|of))* (\d{{4}})\b"
    rf"|\b(\d{{4}})(?: (?:is|as))?(?: (?:my|the))? {_PIN}\b"
)
_ABOUT_A_CARD = re.compile(r"\b(?:card|visa|mastercard|ending|ends)\b")
_CORRECTED = re.compile(
    r"\b(?:no|sorry|wait|actually|rather|i mean|i meant|scratch that)\b[a-z' ]{0,60}(?<!\d)(\d{4})(?: please)?$"
)
_COUNTED = re.compile(r"\b(?:first|last|next|other) [234](?: digits| numbers)? (?:are|is)\b")  # "the first two are 29"
_ONES = {"one": "1", "o": "0", "oh": "0"}
_AROUND_A_PIECE = HESITATIONS | frozenset(
    "and then my pin code the rest is are first last two three half digits digit number numbers oh sorry no starts "
    "begins with it of a one".split()
)


@dataclass(frozen=True, slots=True)
class SpokenPin:
    """The digits said for a PIN so far, and the words of the turns that said them.

    `judged`: these very words gave a PIN that was judged before, and they are not judged again.
    """

    digits: str
    words: str
    judged: bool = False

    @property
    def standing(self) -> Literal["none", "some", "whole", "too many"]:
        """How far the PIN has been said."""
        if len(self.digits) <= PIN_DIGITS:
            return "whole" if len(self.digits) == PIN_DIGITS else "some" if self.digits else "none"
        return "too many"


def says_pin(text: str) -> bool:
    """Return whether a turn speaks of a PIN."""
    return bool(_SAYS_PIN.search(" ".join(heard_words(text))))


def pin_with_wish(turn: str) -> str | None:
    """Return the four digits that stand beside the word PIN; None where there are none."""
    found = _BESIDE.search(" ".join(heard_words(turn)))
    return (found[1] or found[2]) if found else None


def spoken_pin(history: Sequence[Turn], is_judged: Callable[[str], bool], fillers: Sequence[str] = ()) -> SpokenPin:
    """Return what the caller has said of a PIN since it was asked for.

    The pieces of several turns are joined, from the first PIN question of the last run of them; a turn with four digits
    is a PIN of its own, and whatever was judged, or was too long, is left behind.

    Args:
        history: the conversation with the caller's own words, unmasked.
        is_judged: whether a turn, or its joined pieces, in their normal form (`turn_words`), gave a PIN judged already.
        fillers: what the assistant says to fill a silence.
    """
    collected = SpokenPin("", "")
    for text in _answers_to_pin_questions(runs(history), fillers):
        said, words = digits_of(text), turn_words(text)
        joined = turn_words(f"{collected.words} {text}") if said and collected.standing == "some" else words
        if judged := next((known for known in (words, joined) if is_judged(known)), None):
            collected = SpokenPin("", judged, judged=True)
        elif len(said) == PIN_DIGITS or collected.standing == "too many":
            collected = SpokenPin(said, words)
        elif collected.standing == "whole":
            collected = SpokenPin(said or collected.digits, words if said else collected.words)
        elif said:
            collected = SpokenPin(collected.digits + said, joined)
        elif collected.judged:
            collected = SpokenPin("", "")
    return collected


def all_words(history: Sequence[Turn], fillers: Sequence[str] = ()) -> Iterator[str]:
    """Yield the normal form of each of the caller's turns, and of all pieces of a PIN that it is the last of."""
    joined = runs(history)
    for place, (role, text) in enumerate(joined):
        if role == "user":
            yield turn_words(text)
            if digits_of(text):
                yield spoken_pin(joined[: place + 1], lambda _: False, fillers).words


def turn_words(text: str) -> str:
    """Return the normal form of a turn by which it is known again."""
    return " ".join(heard_words(text))


def digits_of(text: str) -> str:
    """Return the digits of an answer to a PIN question; those that name a card are none.

    Of digits that were corrected ("no sorry, 8162") the last four count. Fewer than four in a sentence that speaks of
    something else ("I've been waiting for 20 minutes") are no piece of a PIN.
    """
    said = _COUNTED.sub(" ", " ".join(heard_words(text)))
    words = said.split()
    if words[:1] == ["oh"] and len(words) > 1 and words[1].isdigit():
        words = words[1:]  # "oh, 8162"
    if _ABOUT_A_CARD.search(said) and not says_pin(text):
        return ""
    if corrected := _CORRECTED.search(said):
        return corrected[1]
    counted = _digit_words(words)
    digits = "".join(_ONES.get(word, word) for word in words if word.isdigit() or word in counted)
    piece = all(word.isdigit() or word in _AROUND_A_PIECE for word in words)
    return digits if piece or len(digits) >= PIN_DIGITS else ""


def _digit_words(words: Sequence[str]) -> Sequence[str]:
    """Return which of "one" and "oh" are digits among these words: where there is little else."""
    if all(word.isdigit() or word in _ONES for word in words):
        return tuple(_ONES)
    return ("one",) if all(word.isdigit() or word == "one" or word in HESITATIONS for word in words) else ()


def _answers_to_pin_questions(joined: Sequence[Turn], fillers: Sequence[str]) -> Iterator[str]:
    """Yield the caller's turns of the last stretch of PIN questions, oldest first.

    An assistant's turn that says PIN is a question for it: nothing else of ours says the word.
    """
    start = len(joined)
    first_question: int | None = None
    while start > 0:
        role, text = joined[start - 1]
        if role == "assistant" and says_pin(text):
            first_question = start
        elif role == "assistant" and not ends_nothing(text, fillers):
            break
        start -= 1
    if first_question is not None:
        yield from (turn.text for turn in joined[first_question:] if turn.role == "user")
