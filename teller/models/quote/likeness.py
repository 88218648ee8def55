"""How alike a question and a sentence are as question and answer, which their embedder was never taught.

An embedder puts texts near each other that speak of one thing; that the one answers the other is something else. Two
pairs of small matrices, fitted with the weights (bench/calibrate_quote.py), project a question and a sentence to where
their product says so: a bilinear form of low rank, as in "Supervised Semantic Indexing" (Bai et al., CIKM 2009).
"""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from teller.knowledge.index import Vector

LEARNED = Path(__file__).parent / "likeness.npz"
FOR_LIKENESS = (
    "likeness",  # of the question with the sentence under its headings
    "likeness_last",  # ... of what is asked last
    "likeness_bare",  # of what is asked last with the sentence alone
)

Matrix = NDArray[np.float32]


@cache
def learned() -> tuple[Matrix, Matrix, Matrix, Matrix]:
    """Return the projections of a question and of a sentence under its headings, then those for a sentence alone."""
    with np.load(LEARNED) as kept:
        asked, told, asked_bare, told_bare = (kept[name].astype(np.float32) for name in kept.files)
    return asked, told, asked_bare, told_bare


def likeness(whole: Vector, last: Vector, in_context: Matrix, bare: Matrix) -> Matrix:
    """Return the columns `FOR_LIKENESS`, a row for each sentence.

    Args:
        whole: the question's vector.
        last: the vector of its last line.
        in_context: the vectors of the sentences under their headings, one a row.
        bare: the vectors of the sentences alone.
    """
    asked, told, asked_bare, told_bare = learned()
    projected = in_context @ told
    return np.column_stack(
        [projected @ (whole @ asked), projected @ (last @ asked), (bare @ told_bare) @ (last @ asked_bare)]
    )
