"""Which passages a model's answer rests on, where the model does not tell itself."""

import re
from collections.abc import Sequence

from teller.knowledge.index import Passage
from teller.knowledge.words import stems, telling_words

_FEWEST = 3  # words that a passage must share with an answer to tell it from the others
_NEARLY = 0.6  # of what the passage shares that shares the most
_DECLINES = re.compile(  # as `prompts/system.md` has a model decline: it does not know, and offers a person
    r"\b(?:don't|do not|doesn't|does not|can't|cannot|couldn't|isn't|aren't|not|no)\b"
    r".*\b(?:person|people|human|agent|representative|colleague|someone|somebody|team|specialist|connect you)\b",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST_DECLINE = 300  # characters; what is longer tells something as well
_FIGURE = re.compile(r"\d")


def sources(answer: str, passages: Sequence[Passage]) -> list[Passage]:
    """Return the passages that an answer shares the most telling words with; all of them where that tells nothing.

    An answer that declines and offers a person rests on none.
    """
    if len(answer) <= _LONGEST_DECLINE and not _FIGURE.search(answer) and _DECLINES.search(answer):
        return []
    said = set(stems(" ".join(telling_words(answer))))
    shared = [len(said & set(stems(passage.embedding_text))) for passage in passages]
    most = max(shared, default=0)
    if most < _FEWEST:
        return list(passages)
    return [passage for passage, number in zip(passages, shared, strict=True) if number >= _NEARLY * most]
