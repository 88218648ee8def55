"""What the numbers of the evidence count for when an answer is chosen.

Fitted by bench/calibrate_quote.py on bench/sets/quote_dev: 568 questions, 189 of them without an answer, over seven
collections (three banks, a bank's product sheets, a library, a clinic, a gym). Fit them again when a feature changes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teller.models.quote.evidence import FOR_EACH, FOR_NONE

_EACH = {
    "in_context": 11.03,
    "bare": 7.23,
    "heading": 1.69,
    "section": 7.32,
    "lately": 2.14,
    "lately_leaning": 3.66,
    "own": 1.6,
    "headed": 1.13,
    "elsewhere": -0.79,
    "lacks": -1.45,
    "lacks_thing": -0.62,
    "lacks_head": 0.03,
    "lacks_name": -0.79,
    "lacks_topic": 0.02,
    "lacks_modifier": -0.49,
    "row_fits": 1.92,
    "row_conflicts": -4.56,
    "text_fits": 1.85,
    "text_conflicts": -1.17,
    "day_fits": 2.58,
    "day_conflicts": -2.84,
    "untyped": -1.37,
    "list_asked": 4.68,
    "steps_asked": -0.2,
    "list_unasked": -1.35,
    "step_alone": -1.51,
    "row": -0.8,
    "opens": 0.94,
    "overview_plain": 0.23,
    "overview_named": 4.77,
    "how_headed": 1.02,
    "first_passage": 0.85,
}
_NONE = {
    "bias": 12.11,
    "missing": 0.05,
    "rarest_missing": 0.47,
    "missing_modifier": 0.74,
    "missing_product": 0.34,
    "missing_thing": 0.87,
    "best": 3.93,
    "typical": 8.79,
    "best_lately": 1.71,
    "words": -0.32,
    "leans": -0.21,
    "story": -0.33,
    "stands_out": -0.62,
    "overview": 1.19,
    "turn_missing": 0.18,
    "turn_missing_leaning": 0.57,
    "unmet": 1.71,
}


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights in the order of `FOR_EACH` and `FOR_NONE`."""

    each: NDArray[np.float64]
    none: NDArray[np.float64]


FITTED = Weights(  # a new feature counts for nothing until it is fitted
    np.array([_EACH.get(name, 0.0) for name in FOR_EACH]), np.array([_NONE.get(name, 0.0) for name in FOR_NONE])
)
