"""What the numbers of the evidence count for when an answer is chosen.

Fitted by bench/calibrate_quote.py on bench/sets/quote_dev: 491 questions, 171 of them without an answer, over six
collections (two banks, a bank's product sheets, a library, a clinic, a gym). Fit them again when a feature changes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teller.models.quote.evidence import FOR_EACH, FOR_NONE

_EACH = {
    "in_context": 13.68,
    "bare": 7.03,
    "heading": 2.44,
    "section": 18.29,
    "lately": 13.47,
    "lately_leaning": 4.89,
    "own": 1.85,
    "headed": 1.58,
    "elsewhere": -1.2,
    "untyped": -2.21,
    "list_asked": 5.45,
    "steps_asked": -1.8,
    "list_unasked": -1.45,
    "step_alone": -3.49,
    "row": -0.51,
    "opens": 1.43,
    "overview_plain": 1.38,
    "overview_named": 6.85,
    "how_headed": 1.47,
    "in_range": 7.92,
    "first_passage": 0.6,
}
_NONE = {
    "bias": 11.78,
    "missing": -0.11,
    "rarest_missing": 1.58,
    "missing_modifier": 1.51,
    "missing_product": 0.91,
    "missing_thing": 1.38,
    "best": 14.33,
    "typical": 15.9,
    "best_lately": 20.55,
    "words": -0.9,
    "leans": -0.82,
    "story": 0.34,
    "stands_out": -0.77,
    "overview": 3.29,
}


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights in the order of `FOR_EACH` and `FOR_NONE`."""

    each: NDArray[np.float64]
    none: NDArray[np.float64]


FITTED = Weights(  # a new feature counts for nothing until it is fitted
    np.array([_EACH.get(name, 0.0) for name in FOR_EACH]), np.array([_NONE.get(name, 0.0) for name in FOR_NONE])
)
