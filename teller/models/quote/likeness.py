"""How alike a question and a sentence are as question and answer, which their embedder was never taught.

An embedder puts texts near each other that speak of one thing; that the one answers the other is something else. Two
pairs of small matrices, fitted with the weights (bench/calibrate_quote.py), project a question and a sentence to where
their product says so: a bilinear form of low rank, as in "Supervised Semantic Indexing" (Bai et al., CIKM 2009).
"""

from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from teller.knowledge.index import Vector

FILE = Path(__file__).parent / "likeness.npz"
FOR_LIKENESS = (
    "likeness",  # of the question with the sentence under its headings
    "likeness_last",  # ... of what is asked last
    "likeness_bare",  # of what is asked last with the sentence alone
)

Matrix = NDArray[np.float32]


class Projections(NamedTuple):
    """What questions are projected with, and sentences under their headings; then the same for sentences alone."""

    asked: Matrix
    told: Matrix
    asked_bare: Matrix
    told_bare: Matrix

    @classmethod
    def load(cls) -> Self:
        """Return those that were fitted."""
        with np.load(FILE) as kept:
            return cls(**{name: kept[name].astype(np.float32) for name in cls._fields})

    def save(self) -> None:
        """Keep these as those that were fitted."""
        np.savez_compressed(FILE, allow_pickle=False, **{k: v.astype(np.float16) for k, v in self._asdict().items()})


LEARNED = Projections.load()


def likeness(whole: Vector, last: Vector, in_context: Matrix, bare: Matrix, learned: Projections = LEARNED) -> Matrix:
    """Return the columns `FOR_LIKENESS`, a row for each sentence.

    Args:
        whole: the question's vector.
        last: the vector of its last line.
        in_context: the vectors of the sentences under their headings, one a row.
        bare: the vectors of the sentences alone.
        learned: what they are projected with.
    """
    told = in_context @ learned.told
    return np.column_stack(
        [
            told @ (whole @ learned.asked),
            told @ (last @ learned.asked),
            (bare @ learned.told_bare) @ (last @ learned.asked_bare),
        ]
    )
