"""How lists of found passages become one, the way OpenSearch 2.19's normalization pipeline does it.

Both indexes fuse by these weights over lists of this depth, so that they find the same.
"""

from collections.abc import Mapping, Sequence

import numpy as np

DEPTH = 100
LEXICAL_WEIGHT = 0.15
VECTOR_WEIGHT = 0.85

_LEAST = np.float32(0.001)  # what the worst of a list counts, so that it is more than one that was not found
_ALONE = np.float32(1.0)


def fused(lists: Sequence[Mapping[str, float]], weights: Sequence[float]) -> dict[str, float]:
    """Return the weighted mean of each passage's normalised scores; a list that lacks the passage gives 0.

    Args:
        lists: Scores by passage, as each search gave them.
        weights: One for each list.
    """
    total: dict[str, np.float32] = {}
    for scores, weight in zip(lists, weights, strict=True):
        for passage, score in _normalised(scores).items():
            total[passage] = total.get(passage, np.float32(0)) + np.float32(weight) * score
    everything = np.float32(sum(weights))
    return {passage: float(score / everything) for passage, score in total.items()}


def _normalised(scores: Mapping[str, float]) -> dict[str, np.float32]:
    """Return scores between 0 and 1 (min-max), float32 as in the cluster, so that near ties fall the same way."""
    values = np.array(list(scores.values()), dtype=np.float32)
    if not len(values):
        return {}
    low, high = values.min(), values.max()
    if low == high:
        return dict.fromkeys(scores, _ALONE)
    normal = (values - low) / (high - low)
    return dict(zip(scores, np.where(normal == 0, _LEAST, normal).astype(np.float32), strict=True))
