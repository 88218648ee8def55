"""What of a question no passage mentions: the sign of a near miss."""

from collections.abc import Mapping
from itertools import pairwise

from teller.models.quote.asked import Asked
from teller.models.quote.question_words import all_stems, weight

FOR_MISSING = (
    "missing",  # share of the question's weight that occurs in no passage
    "rarest_missing",  # weight of the rarest word that occurs in no passage
    "missing_modifier",  # ... of one that stands before a word that does occur: the *platinum* card
    "missing_product",  # ... where both name one thing: my *student* loans
    "missing_thing",  # weight of the rarest missing word that names a thing: the fee for a late *laptop*
)


def missing(asked: Asked, found: Mapping[str, frozenset[str]]) -> tuple[float, ...]:
    """Return `FOR_MISSING`."""
    lost = [share for word, share in asked.words.items() if not found[word]]
    things = [share for word, share in asked.things.items() if not found[word]]
    return (
        sum(lost) / (sum(asked.words.values()) or 1.0),
        max(lost, default=0.0),
        *_modifier(asked, found),
        max(things, default=0.0),
    )


def _modifier(asked: Asked, found: Mapping[str, frozenset[str]]) -> tuple[float, float]:
    """Return the weight of the rarest missing word right before a found one ("no *student* loan, but loans").

    The second value is the same for words of a phrase that names a thing: "the *platinum* card", "my *student* loan".
    """
    nearby = {
        word: (weight(word), word in asked.things and after in asked.things)
        for word, after in pairwise(all_stems(asked.turn))
        if word in found and not found[word] and found.get(after)
    }
    products = [share for share, names in nearby.values() if names]
    return max((share for share, _ in nearby.values()), default=0.0), max(products, default=0.0)
