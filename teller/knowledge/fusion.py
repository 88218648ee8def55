"""How lists of found passages become one, the way OpenSearch 2.19's normalization pipeline does it.

Both indexes fuse by these weights over lists of this depth, so that they find the same. The weights were chosen on the
sample bank's questions; bench/RETRIEVAL.md tells what else was tried.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

DEPTH = 100
LEXICAL_WEIGHT = 0.25
VECTOR_WEIGHT = 0.75
FIELD_BOOSTS = {"title": 0.5, "section": 0.5, "text": 1.0}
"""What a word counts in each field of a passage; the BM25 scores of the fields are added up."""

_LEAST = np.float32(0.001)  # what the worst of a list counts, so that it is more than one that was not found
_ALONE = np.float32(1.0)

Key = TypeVar("Key")


def fused(lists: Sequence[Mapping[Key, float]], weights: Sequence[float]) -> dict[Key, float]:
    """Return the weighted mean of each passage's normalised scores; a list that lacks the passage gives 0.

    Args:
        lists: Scores by passage, as each search gave them.
        weights: One for each list.
    """
    total: dict[Key, np.float32] = {}
    for scores, weight in zip(lists, weights, strict=True):
        for passage, score in _normalised(scores).items():
            total[passage] = total.get(passage, np.float32(0)) + np.float32(weight) * score
    everything = np.float32(sum(weights))
    return {passage: float(score / everything) for passage, score in total.items()}


def _normalised(scores: Mapping[Key, float]) -> dict[Key, np.float32]:
    """Return scores between 0 and 1 (min-max), float32 as in the cluster, so that near ties fall the same way."""
    values = np.array(list(scores.values()), dtype=np.float32)
    if not len(values):
        return {}
    low, high = values.min(), values.max()
    if low == high:
        return dict.fromkeys(scores, _ALONE)
    normal = (values - low) / (high - low)
    return dict(zip(scores, np.where(normal == 0, _LEAST, normal).astype(np.float32), strict=True))
