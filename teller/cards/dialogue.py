"""What the words of a conversation mean for an open card question: pure functions over turns and rows.

Three things make a confirmed write: the question was *asked* (a clause of the row), *heard* (it stands in what the
assistant said) and *answered* (by the caller's words after it). History without a row is no question; a row without
history is a question that was not heard.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from teller.cards.choice import choose
from teller.cards.records import Card, Clause, Operation, Wish, WishState
from teller.cards.spoken import heard_words

Answer = Literal["yes", "no", "card", "other"]

_YES = frozenset("yes yeah yep yup sure ok okay correct right absolutely definitely certainly affirmative".split())
_YES_PHRASES = re.compile(r"\b(?:go ahead|do it|do that|please do|of course|that's right|that's correct|sounds good)\b")
_FILL = frozenset(
    (
        "please thanks thank you uh um uhm er ah oh well so hey hi hello and just now then i'd like to my the it "
        "that a card i said want would this"
    ).split()
)
_NO = re.compile(
    r"(?:(?:no|nope|nah|not|never ?mind|cancel|stop|forget|leave"
    r"|(?:don't|do not)(?: (?:do|block|freeze|lock))?)(?: |$))+"
)
_VERBS: dict[Operation, frozenset[str]] = {Operation.BLOCK: frozenset(("block", "freeze", "lock"))}
_DOUBT = re.compile(
    r"\b(?:don't|do not|not|never|won't|wouldn't|shouldn't|without|if|unless|instead|before|after|later|tomorrow)\b"
    r"|^(?:how|what|what's|when|why|where|which|who|does|do i|is|are|can i|could i|should|may i|will|did|has|have)\b"
)


class Turn(NamedTuple):
    """One turn of the conversation, as heard."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class HeardQuestion:
    """An asked question that the caller heard, and all that the caller said after it."""

    wish: Wish
    clause: Clause
    answer: str


def heard_question(wishes: Iterable[Wish], history: Sequence[Turn]) -> HeardQuestion | None:
    """Return the newest question of these wishes that stands in the latest assistant turn that holds one.

    A finished wish counts too: a repeated answer must find what became of it. Words after the question's own end the
    turn that holds it, so a question is recognised by its clause, in the normal form of `heard_words`.
    """
    clauses = [(wish, clause) for wish in wishes for clause in wish.clauses]
    for place in range(len(history) - 1, -1, -1):
        if history[place].role != "assistant":
            continue
        said = f" {' '.join(heard_words(history[place].text))} "
        heard = [pair for pair in clauses if f" {' '.join(heard_words(pair[1].text))} " in said]
        if heard:
            wish, clause = max(heard, key=lambda pair: (pair[0].state is not WishState.DROPPED, pair[1].asked_at))
            answer = " ".join(turn.text for turn in history[place + 1 :] if turn.role == "user")
            return HeardQuestion(wish, clause, answer)
    return None


def read_answer(question: HeardQuestion, cards: Sequence[Card]) -> Answer:
    """Return what the caller's words answer to the question: yes, no, a card by name, or something else."""
    words = heard_words(question.answer)
    if not words:
        return "other"
    if _NO.fullmatch(" ".join(word for word in words if word not in _FILL)):
        return "no"
    if question.clause.kind == "confirm":
        return "yes" if _is_yes(words, question) else "other"
    choice = choose(cards, question.answer)
    return "card" if choice.named and not _doubtful(" ".join(words)) else "other"


def is_plain_request(turn: str, operation: Operation, *, sure: bool) -> bool:
    """Return whether a wish is put plainly: without a negation, a condition, or the form of a question about it.

    It must say the operation's verb, or have been understood surely. Only then may chat act on it at once; otherwise it
    is asked first. "Can you block my card?" is plain.
    """
    words = heard_words(turn)
    return (sure or not _VERBS.get(operation, frozenset()).isdisjoint(words)) and not _doubtful(" ".join(words))


def answer_hash(question: HeardQuestion) -> str:
    """Return a digest of the words that answered: it ties a commit to the answer that it was settled for."""
    return hashlib.sha256(" ".join(heard_words(question.answer)).encode()).hexdigest()


def _is_yes(words: list[str], question: HeardQuestion) -> bool:
    """Nothing may be left once yes-words, politeness and the clause's own words are out, and one of them says yes."""
    text, phrases = _YES_PHRASES.subn(" ", " ".join(words))
    rest = text.split()
    verbs = _VERBS.get(question.wish.operation, frozenset())
    if not (phrases or any(word in _YES or word in verbs for word in rest)):
        return False
    clause = set(heard_words(question.clause.text)) - {"shall"}
    return all(word in _YES or word in _FILL or word in verbs or word in clause for word in rest)


def _doubtful(words: str) -> bool:
    return bool(
        _DOUBT.search(re.sub(r"^(?:(?:uh|um|er|so|well|hi|hey|hello|please|okay|ok|and|yeah|yes)\s+)+", "", words))
    )
