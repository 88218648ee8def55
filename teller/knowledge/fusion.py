"""How words and meaning together order passages: the same for every index, and one that OpenSearch can do itself.

It is OpenSearch's normalization-processor with `min_max` and `arithmetic_mean`, over the best `depth(limit)` of each
list: both indexes rank alike, and a cluster without pipelines is fused here.
"""

from collections.abc import Container, Mapping
from typing import TypeVar

LEXICAL_WEIGHT = 0.25
"""The share of the words; the meaning has the rest. Chosen on the sample bank's questions: bench/RETRIEVAL.md."""

_DEPTH = 100
_LEAST = 0.001  # what the last of a list gets: it was found, which counts more than not being found

Key = TypeVar("Key")


def depth(limit: int) -> int:
    """Return how many passages each list holds, for a search that returns `limit`: the scale depends on it."""
    return max(_DEPTH, limit)


def fused(
    meaning: Mapping[Key, float], words: Mapping[Key, float], waiting: Container[Key] = ()
) -> list[tuple[Key, float]]:
    """Return every passage of two lists with its score in [0, 1], best first; of equal ones, as they came.

    Args:
        meaning: The most similar passages with their similarity, best first.
        words: The passages that the words fit best with their BM25 score, best first.
        waiting: Passages that have no vector yet: their words are taken for their meaning too.
    """
    similar, worded = _scaled(meaning), _scaled(words)
    scores = {
        key: LEXICAL_WEIGHT * worded.get(key, 0.0)
        + (1 - LEXICAL_WEIGHT) * (worded.get(key, 0.0) if key in waiting else similar.get(key, 0.0))
        for key in (*similar, *worded)
    }
    return sorted(scores.items(), key=lambda scored: -scored[1])


def _scaled(scores: Mapping[Key, float]) -> dict[Key, float]:
    """Return scores brought to [0.001, 1] by their least and their greatest."""
    if not scores:
        return {}
    least, greatest = min(scores.values()), max(scores.values())
    if least == greatest:
        return dict.fromkeys(scores, 1.0)
    return {key: (score - least) / (greatest - least) or _LEAST for key, score in scores.items()}
