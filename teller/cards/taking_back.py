"""What a caller's words that follow the news of a block say of it: that it was not meant, or only of undoing it.

"Unblock it" says no such thing: that is a wish of its own, and needs the PIN.
"""

import re
from collections.abc import Sequence

from teller.cards.answers import corrects
from teller.cards.choice import choose, choose_instead
from teller.cards.plain_request import asked_for, clauses
from teller.cards.records import Card
from teller.cards.spoken import heard_words
from teller.knowledge.question import is_question

_GOES_NO_FURTHER = (
    r"(?=$| (?:please|now|again|sorry|thanks|i|i'm|i've|i'd|can|could|no|oh|actually|undo|take|all|if)\b)"
)
_TAKE_BACK = rf"(?:take (?:it|that|the block) back|undo(?: (?:it|that|this|the block))?){_GOES_NO_FURTHER}"
_NOT_MEANT = re.compile(
    r"\b(?:(?:that was|it was|that's) (?:a mistake|(?:the|my) wrong (?:card|one))"
    rf"|i (?:didn't|did not) (?:mean|want) that|i(?:'ve| have)? changed my mind){_GOES_NO_FURTHER}"
)
_SENTENCE = re.compile(r"(?<=[.?!])\s+")
_IF = re.compile(r"\b(?:if(?! possible| you (?:can|could)| that's (?:ok|okay))|whether|unless)\b")
_NOT_WISHED = re.compile(r"\b(?:don't|do not|never) (?:(?:want|wish|need|like|mean) )?(?:(?:you )?to )?(?:undo|take)\b")
_ASKS_YOU = re.compile(r"\b(?:can|could|would|will) (?:you|u|ya)\b")
_UNDOING = re.compile(
    r"\b(?:take|took) (?:it|that|the block) back\b|\bundo\b|\b(?:that was|that's) (?:a mistake|the wrong)\b"
    r"|\b(?:didn't|did not) (?:mean|want) that\b|\bchanged my mind\b|\b(?:undone|taken back)\b"
    r"|\bthat(?:'s| is| was) (?:all )?(?:wrong|not right)\b"
)
_ANOTHER_MEANT = re.compile(r"^(?!.*\b(?:too|also|both|as well)\b).*\b(?:i (?:mean|meant)|wrong)\b")


def takes_back(words: str, blocked: Card, cards: Sequence[Card]) -> bool:
    """Return whether words say that a block was not meant: undo it, or another card."""
    if any(map(_takes_back, _SENTENCE.split(words))):
        return True
    instead = choose_instead(cards, words, blocked)
    return corrects(words) and instead.named and blocked not in instead.cards


def _takes_back(sentence: str) -> bool:
    said = " ".join(heard_words(sentence))
    if _IF.search(said) or _NOT_WISHED.search(said) or (is_question(sentence) and not _ASKS_YOU.search(said)):
        return False
    return asked_for(_TAKE_BACK, sentence) or any(map(_NOT_MEANT.search, clauses(sentence)))


def speaks_of_taking_back(words: str, blocked: Card, cards: Sequence[Card]) -> bool:
    """Return whether words speak of undoing a block, be it to wish it or only to ask.

    "Can I undo that later?"; so do those that are no plain correction, but say which card was meant: "did I say the
    everyday one, I meant the travel card".
    """
    said = " ".join(heard_words(words))
    choice = choose(cards, words)
    another_meant = _ANOTHER_MEANT.search(said) and choice.named and choice.cards not in ((), (blocked,))
    return bool(speaks_of_undoing(words) or another_meant)


def speaks_of_undoing(words: str) -> bool:
    """Return whether words speak of undoing, or say that what was done was not meant."""
    said = " ".join(heard_words(words))
    return bool(_UNDOING.search(said))
