"""What the numbers of the evidence count for when an answer is chosen.

Fitted by bench/calibrate_quote.py on bench/sets/quote_dev: 491 questions, 171 of them without an answer, over six
collections (two banks, a bank's product sheets, a library, a clinic, a gym). Fit them again when a feature changes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teller.models.quote.evidence import FOR_EACH, FOR_NONE

_EACH = {
    "in_context": 13.76,
    "bare": 6.8,
    "heading": 2.31,
    "section": 18.67,
    "lately": 13.65,
    "lately_leaning": 5.21,
    "own": 1.89,
    "headed": 1.69,
    "elsewhere": -1.2,
    "untyped": -2.22,
    "list_asked": 5.48,
    "steps_asked": -1.9,
    "list_unasked": -1.3,
    "step_alone": -3.66,
    "row": -0.29,
    "opens": 1.4,
    "overview_plain": 1.41,
    "overview_named": 6.84,
    "how_headed": 1.56,
    "in_range": 7.97,
    "first_passage": 0.67,
}
_NONE = {
    "bias": 11.51,
    "missing": -0.05,
    "rarest_missing": 1.48,
    "missing_modifier": 1.46,
    "missing_product": 0.69,
    "missing_thing": 1.39,
    "best": 15.11,
    "typical": 16.04,
    "best_lately": 21.35,
    "words": -0.92,
    "leans": -0.91,
    "story": 0.3,
    "stands_out": -0.79,
    "overview": 3.2,
}


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights in the order of `FOR_EACH` and `FOR_NONE`."""

    each: NDArray[np.float64]
    none: NDArray[np.float64]


FITTED = Weights(  # a new feature counts for nothing until it is fitted
    np.array([_EACH.get(name, 0.0) for name in FOR_EACH]), np.array([_NONE.get(name, 0.0) for name in FOR_NONE])
)
