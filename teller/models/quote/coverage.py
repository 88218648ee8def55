"""Which of the question's words a candidate has, under its headings or not at all."""

from collections.abc import Mapping

from teller.models.quote.asked import Asked
from teller.models.quote.candidates import Candidate

FOR_COVERAGE = (
    "own",  # share of the question's weight that the sentence's words cover
    "headed",  # share that only its headings cover
    "nearby",  # share that only the rest of its passage covers
    "elsewhere",  # share that other passages cover, but not its own
)
FOR_LACKING = (
    "lacks",  # weight of the rarest word of the question that is in neither the sentence nor its headings
    "lacks_thing",  # ... that names a thing
    "lacks_head",  # how many of the things, by their last word, it lacks: the personal *loan*
    "lacks_name",  # weight of the rarest word lacking that has a capital: a place, a product
    "lacks_topic",  # ... that names a thing of the turn before, where the last one leans on it
    "lacks_topic_bare",  # ... where the last one names nothing else: "and for seven years"
    "lacks_titled",  # ... that other passages have in their headings: what those are about
    "lacks_modifier",  # ... that stands before one that they hold: the *travel* card
)


def lacking(
    candidate: Candidate, asked: Asked, found: Mapping[str, frozenset[str]], titled: frozenset[str]
) -> tuple[float, ...]:
    """Return the columns `FOR_LACKING`; `titled` are the words of all headings."""
    here = candidate.own | candidate.context
    lacking = {word: share for word, share in asked.words.items() if not found[word] & here}
    modifiers = [
        lacking[word] for word, after in asked.pairs if word in lacking and found.get(after, here - here) & here
    ]
    return (
        max(lacking.values(), default=0.0),
        max((share for word, share in asked.things.items() if word in lacking), default=0.0),
        sum(word in lacking for word in asked.heads),
        max((lacking[word] for word in asked.names if word in lacking), default=0.0),
        lacks_topic := max((share for word, share in asked.topic.items() if not found[word] & here), default=0.0),
        lacks_topic * (not asked.things),
        max(
            (s for w, s in {**asked.things, **asked.topic}.items() if found[w] & titled and not found[w] & here),
            default=0.0,
        ),
        max(modifiers, default=0.0),
    )


def coverage(
    candidate: Candidate, asked: Asked, found: Mapping[str, frozenset[str]], passage: frozenset[str]
) -> tuple[float, ...]:
    """Return the columns `FOR_COVERAGE`; `passage` are all words of the candidate's passage."""
    total = sum(asked.words.values()) or 1.0
    here = candidate.own | candidate.context
    own = sum(share for word, share in asked.words.items() if found[word] & candidate.own)
    headed = sum(share for word, share in asked.words.items() if found[word] & here) - own
    nearby = sum(share for word, share in asked.words.items() if found[word] & passage) - own - headed
    elsewhere = sum(share for word, share in asked.words.items() if found[word] and not found[word] & passage)
    return own / total, headed / total, nearby / total, elsewhere / total
