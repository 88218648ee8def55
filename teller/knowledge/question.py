"""The question of a turn, understood in its conversation, without a model call.

A turn that cannot stand alone ("and for the gold one?", "how long does that take") borrows the turn before it. A turn
that tells a story first is taken apart: what it tells, and on the last line what it asks.
"""

import re
from collections.abc import Sequence

from teller.knowledge.asking import asking_at, first_asking
from teller.knowledge.words import telling_words

_OPENERS = re.compile(
    r"^\s*(?:(?:oh|well|right)\b[\s,]*)?(?:and|or|but|so|then|ok|okay|also|(?:the )?same|what if|what about|how about"
    r"|with|over|from|to|for|in|on|by|after|before)\b",
    re.IGNORECASE,
)
_POINTERS = re.compile(
    r"\b(?:it|its|that|this|these|those|they|them|their|ones?|there|here|both|same|too|either|neither|instead|else"
    r"|meanwhile|until|till|otherwise)\b",
    re.IGNORECASE,
)
_SHORT = 4
# Words that ask something of a subject and name none: "how much can I take a day", "what is the maximum".
_SUBJECTLESS = frozenset(
    "take get go need needed require required use pay cost costs charge charges charged fee fees price rate "
    "amount much many long longer often soon sooner fast faster quick quickly late later early old new day days "
    "week weeks month months year years time times date number call money answer paper papers paperwork document "
    "documents maximum most minimum least limit valid count counts work works happen happens apply change stop "
    "claim say said told give given make made back hold more less still again other another each every first last "
    "next rest whole part everything anything something nothing thing things way ways people person one possible "
    "allowed case reason details information ok okay well so hello hi thanks thank don doesn isn won".split()
)
_HESITATION = re.compile(r"\b(?:u+h+m*|u+m+|e+rm+|h+mm+)\b[,.\u2026]*", re.IGNORECASE)
_BORDER = re.compile(r"(?<=[.!?])(?<!\b[ap]\.m\.)(?<!\b(?:Dr|Mr|Ms|St)\.)(?<!\b(?:Mrs)\.)\s+")
_LEAD = r"(?:(?:so|and|but|well|ok|okay|anyway|hi|hey|hello|yes|yeah|right|then|please|also|just)\b[\s,.]*)*"
_QUESTION = (
    r"(?:how|what(?:'s|s)?|when|where|which|who(?:'s|m)?|why"
    r"|(?:by|from|since|at|for|(?:un)?till?)\s+(?:what|which|when|how\s+(?:long|much|many))"
    r"|(?:can|could|do|does|did|is|are|am|will|would|should|may|must|have)\s+(?:i|you|we|they|he|she|it|there|my|the"
    r"|your|our|an?|this|that))\b"
)
_ASKS = re.compile(
    rf"{_LEAD}(?:{_QUESTION}|tell me\b|i'd like\b|i would like\b|i want\b|i need\b|(?:i'm|i am) interested\b"
    r"|explain\b|information\b)",
    re.IGNORECASE,
)
_CLAUSE = re.compile(rf"(?:[,;]|\b(?:and|but|so)\b|\.\.\.)\s+(?=(?:(?:so|and|but)\s+)?{_QUESTION})", re.IGNORECASE)
_RAMBLES = 14  # words; a shorter sentence is asked as a whole
_TELLS = 3  # words; less is a greeting or thanks


def standalone_question(user_turns: Sequence[str]) -> str:
    """Return what the last of the user's turns asks, on the last line; above it, what that may lean on.

    Args:
        user_turns: what the user said, oldest first, at least one turn.
    """
    *earlier, last = user_turns
    story, asked = story_and_question(last)
    lines = [line for line in (story, _punctuated(asked)) if line]
    if earlier and leans_on_history(last):
        lines.insert(0, standalone_question(earlier[-2:]))
    return "\n".join(lines)


def story_and_question(turn: str) -> tuple[str, str]:
    """Return what a turn tells before or after it asks ("" for most turns), and what it asks; hesitations go."""
    sentences = _BORDER.split(" ".join(_HESITATION.sub(" ", turn).split()))
    asking = [
        i for i, one in enumerate(sentences) if one.endswith("?") or _ASKS.match(one) or asking_at(one) is not None
    ]
    if not asking:
        return "", " ".join(sentences)
    asked = sentences.pop(asking[-1])
    before, clause = _last_clause(asked)
    told = [one for one in (*sentences, before) if len(one.split()) >= _TELLS]
    return " ".join(told), clause


def _punctuated(asked: str) -> str:
    """Return a question with its mark: recognisers leave it out, and the embedder hears the difference."""
    return f"{asked}?" if re.match(_LEAD + _QUESTION, asked, re.IGNORECASE) and asked[-1].isalnum() else asked


def leans_on_history(turn: str) -> bool:
    """Return whether a turn means little without those before it.

    It does where it opens like a part of a sentence, is very short, points at something, or names no subject.
    """
    words = turn.split()
    return (
        bool(_OPENERS.match(turn))
        or len(words) < _SHORT
        or (len(words) < 3 * _SHORT and bool(_POINTERS.search(turn)))
        or _SUBJECTLESS.issuperset(telling_words(turn))
    )


def continues(turn: str) -> bool:
    """Return whether a turn opens as one that goes on with the one before it: "and", "what about", "same for"."""
    return bool(_OPENERS.match(turn))


def is_question(turn: str) -> bool:
    """Return whether a turn asks: by its mark, by how one of its sentences begins, or by a clause in one of them."""
    asked = story_and_question(turn)[1]
    begins = asked.endswith("?") or bool(re.match(_LEAD + _QUESTION, asked, re.IGNORECASE))
    return begins or asking_at(asked) is not None


def _last_clause(sentence: str) -> tuple[str, str]:
    """Return a long sentence cut before the clause that asks; a short one stays whole, and so does one that asks twice.

    Of two questions in a sentence the second leans on the first: "do you do pet insurance and what would it cost me".
    """
    if len(sentence.split()) <= _RAMBLES:
        return "", sentence
    asks = first_asking(sentence)  # so that few borders need a look of their own: a long turn may have thousands
    borders = [
        one
        for one in _CLAUSE.finditer(sentence)
        if asks is None
        or one.start() <= asks.start()
        or (one.start() < asks.end() and asking_at(sentence[: one.start()]) is None)
    ]
    if not borders:
        return "", sentence
    return sentence[: borders[-1].start()], sentence[borders[-1].end() :]
