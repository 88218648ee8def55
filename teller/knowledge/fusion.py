"""How lists of found passages become one, the way OpenSearch 2.19's normalization pipeline does it.

Both indexes fuse by these weights over lists of this depth, so that they find the same. The weights were chosen on the
sample bank's questions; bench/RETRIEVAL.md tells what else was tried.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

DEPTH = 100
LEXICAL_WEIGHT = 0.25
VECTOR_WEIGHT = 0.75
FIELD_BOOSTS = {"title": 0.5, "section": 0.5, "text": 1.0}
"""What a word counts in each field of a passage; the BM25 scores of the fields are added up."""

_LEAST = np.float32(0.001)  # what the worst of a list counts, so that it is more than one that was not found

Key = TypeVar("Key")


def fused(lists: Sequence[Mapping[Key, float]], weights: Sequence[float]) -> dict[Key, float]:
    """Return the weighted mean of each passage's normalised scores; a list that lacks the passage gives 0.

    Args:
        lists: Scores by passage, as each search gave them.
        weights: One for each list.
    """
    places = {passage: place for place, passage in enumerate(dict.fromkeys(chain.from_iterable(lists)))}
    total = np.zeros(len(places), dtype=np.float32)
    for scores, weight in zip(lists, weights, strict=True):
        here = [places[passage] for passage in scores]
        total[here] += np.float32(weight) * _normalised(np.array(list(scores.values()), dtype=np.float32))
    return dict(zip(places, (total / np.float32(sum(weights))).tolist(), strict=True))


def _normalised(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return scores between 0 and 1 (min-max), float32 as in the cluster, so that near ties fall the same way."""
    if not len(scores):
        return scores
    low, high = scores.min(), scores.max()
    if low == high:
        return np.ones_like(scores)
    normal = (scores - low) / (high - low)
    return np.where(normal == 0, _LEAST, normal).astype(np.float32)
