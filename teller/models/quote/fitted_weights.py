"""What the numbers of the evidence count for when an answer is chosen.

Fitted by bench/calibrate_quote.py on bench/sets/quote_dev: 568 questions, 189 of them without an answer, over seven
collections (three banks, a bank's product sheets, a library, a clinic, a gym). Fit them again when a feature changes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teller.models.quote.evidence import FOR_EACH, FOR_NONE

_EACH = {
    "in_context": 15.86,
    "bare": 6.2,
    "heading": 1.8,
    "section": 17.01,
    "lately": 15.29,
    "lately_leaning": 1.43,
    "own": 1.52,
    "headed": 1.19,
    "elsewhere": -1.13,
    "lacks": -1.11,
    "lacks_thing": -1.12,
    "lacks_head": 0.37,
    "lacks_name": -1.21,
    "lacks_topic": -1.06,
    "lacks_modifier": -0.17,
    "row_fits": 1.86,
    "row_conflicts": -5.17,
    "text_fits": 2.19,
    "text_conflicts": -4.66,
    "day_fits": 3.07,
    "day_conflicts": -5.57,
    "untyped": -2.03,
    "list_asked": 5.79,
    "steps_asked": -0.74,
    "list_unasked": -1.92,
    "step_alone": -2.96,
    "row": -0.41,
    "opens": 1.43,
    "overview_plain": 1.5,
    "overview_named": 6.73,
    "how_headed": 1.55,
    "first_passage": 0.62,
}
_NONE = {
    "bias": 11.6,
    "missing": -0.33,
    "rarest_missing": 1.08,
    "missing_modifier": 1.64,
    "missing_product": -0.22,
    "missing_thing": 1.35,
    "best": 14.28,
    "typical": 14.52,
    "best_lately": 19.8,
    "words": -0.88,
    "leans": -1.18,
    "story": 0.49,
    "stands_out": -0.84,
    "overview": 3.42,
    "unmet": 1.16,
}


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights in the order of `FOR_EACH` and `FOR_NONE`."""

    each: NDArray[np.float64]
    none: NDArray[np.float64]


FITTED = Weights(  # a new feature counts for nothing until it is fitted
    np.array([_EACH.get(name, 0.0) for name in FOR_EACH]), np.array([_NONE.get(name, 0.0) for name in FOR_NONE])
)
