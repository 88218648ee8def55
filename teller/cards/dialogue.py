"""Which open question a conversation stands at: pure functions over turns and rows.

Three things make a confirmed write: the question was *asked* (a clause of the row), *heard* (it stands in what the
assistant said) and *answered* (by the caller's words after it; `answers.py` reads them). History without a row is no
question; a row without history is a question that was not heard.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal, NamedTuple

from teller.cards.policy import POLICY
from teller.cards.records import Clause, Wish, WishState
from teller.cards.spoken import heard_words

_HEARD = 0.8  # of a question's words; recognisers lose some
_LATEST = 120  # words; a question is the last sentence of its turn
_CUT = 4  # words; a turn with fewer was cut by the caller, or only filled a silence


class Turn(NamedTuple):
    """One turn of the conversation, as heard."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class HeardQuestion:
    """An asked question that the caller heard, and all that the caller said after it.

    `earlier`: what he had said of the same wish before, oldest first; it began with the first.
    """

    wish: Wish
    clause: Clause
    answer: str
    earlier: tuple[str, ...] = ()


def runs(history: Sequence[Turn]) -> list[Turn]:
    """Return the conversation with each side's turns in a row joined: recognisers cut and clients merge them."""
    grouped = groupby(history, key=lambda turn: turn.role)
    return [Turn(role, " ".join(turn.text for turn in turns)) for role, turns in grouped]


def last_said(history: Sequence[Turn]) -> str:
    """Return what the assistant said last, its turns in a row joined; empty where it has said nothing."""
    return next((turn.text for turn in reversed(runs(history)) if turn.role == "assistant"), "")


def heard_question(
    wishes: Iterable[Wish], history: Sequence[Turn], fillers: Sequence[str] = ()
) -> HeardQuestion | None:
    """Return the newest question of these wishes that stands in the latest assistant turns that were heard in full.

    A finished wish counts too: a repeated answer must find what became of it. A full assistant turn without a question
    ends the one before it; a cut one and a filler do not.
    """
    clauses = [(wish, clause) for wish in wishes for clause in wish.clauses]
    joined = runs(history)
    for place in range(len(joined) - 1, -1, -1):
        if joined[place].role == "user":
            continue
        if pair := _newest_heard(clauses, joined[place].text):
            answer = " ".join(turn.text for turn in joined[place + 1 :] if turn.role == "user")
            return HeardQuestion(*pair, answer, _earlier(pair[0], joined[:place]))
        if not ends_nothing(joined[place].text, fillers):
            return None
    return None


def _newest_heard(clauses: Sequence[tuple[Wish, Clause]], text: str) -> tuple[Wish, Clause] | None:
    said = heard_words(text)
    after = _after_which(clauses, said)
    heard = [
        (wish, clause)
        for wish, clause in clauses
        if was_heard(wish, clause, said if clause.kind == "card" else said[after:])
    ]
    return max(heard, key=lambda pair: (pair[0].state is not WishState.DROPPED, pair[1].asked_at)) if heard else None


def _after_which(clauses: Sequence[tuple[Wish, Clause]], said: Sequence[str]) -> int:
    """Return where the question which card is meant ends in what was said: it holds all words of a confirming one."""
    ends = [0]
    for _, clause in clauses:
        if clause.kind == "card":
            blocks = SequenceMatcher(None, heard_words(clause.text), said, autojunk=False).get_matching_blocks()
            if blocks[0].a == 0 and blocks[0].size:
                ends.append(max(block.b + block.size for block in blocks if block.size))
    return max(ends)


def _earlier(wish: Wish, joined: Sequence[Turn]) -> tuple[str, ...]:
    """Return what the caller said of a wish before its last question: back to the first that he heard."""
    said: list[str] = []
    for role, text in reversed(joined):
        if role == "assistant" and not any(was_heard(wish, clause, heard_words(text)) for clause in wish.clauses):
            break
        if role == "user":
            said.insert(0, text)
    return tuple(said)


def was_heard(wish: Wish, clause: Clause, said: Sequence[str]) -> bool:
    """Return whether a question stands in what was said: four fifths of its words, in order.

    Of a confirming question the operation and the last four must be among them. A PIN question needs the word PIN, and
    half of the others.
    """
    asked = heard_words(clause.text)
    heard = _in_order(asked, said[-_LATEST:])
    if clause.kind == "pin":
        return not {"pin", "pin's"}.isdisjoint(heard) and len(heard) * 2 >= len(asked)
    if len(heard) < _HEARD * len(asked):
        return False
    if clause.kind == "card":
        return True
    last4 = [word for word in asked if word.isdigit()][-1:]
    return not POLICY[wish.operation].verbs.isdisjoint(heard) and all(digits in heard for digits in last4)


def ends_nothing(said: str, fillers: Sequence[str]) -> bool:
    """Return whether an assistant's turn leaves the question before it open: it was cut at once, or is a filler."""
    return len(after_filler(said, fillers)) < _CUT


def after_filler(said: str, fillers: Sequence[str]) -> list[str]:
    """Return the words of an assistant's turn behind the filler that it may begin with, itself cut or not."""
    words = heard_words(said)
    for filler in map(heard_words, fillers):
        if words[: len(filler)] == filler[: len(words)]:
            return words[len(filler) :]
    return words


def _in_order(asked: Sequence[str], said: Sequence[str]) -> list[str]:
    """Return the asked words that stand, in their order, in what was said."""
    blocks = SequenceMatcher(None, asked, said, autojunk=False).get_matching_blocks()
    return [word for block in blocks for word in asked[block.a : block.a + block.size]]
