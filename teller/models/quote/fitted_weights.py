"""What the numbers of the evidence count for when an answer is chosen.

Fitted by bench/calibrate_quote.py on bench/sets/quote_dev: 661 questions, 218 of them without an answer, over eight
collections (four banks, a bank's product sheets, a library, a clinic, a gym). Fit them again when a feature changes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teller.models.quote.evidence import FOR_EACH, FOR_NONE

_EACH = {
    "in_context": 19.11,
    "bare": 5.45,
    "heading": 2.02,
    "section": 15.6,
    "lately": 3.74,
    "lately_leaning": 7.64,
    "own": 1.54,
    "headed": 1.13,
    "elsewhere": -0.9,
    "lacks": -1.3,
    "lacks_thing": -0.7,
    "lacks_head": 0.37,
    "lacks_name": -1.3,
    "lacks_topic": 0.2,
    "lacks_modifier": -0.3,
    "row_fits": 2.16,
    "row_conflicts": -5.78,
    "text_fits": 2.07,
    "text_conflicts": -1.19,
    "day_fits": 3.47,
    "day_conflicts": -5.12,
    "untyped": -2.02,
    "list_asked": 5.32,
    "steps_asked": -0.18,
    "list_unasked": -1.87,
    "step_alone": -2.96,
    "row": -1.14,
    "opens": 1.19,
    "overview_plain": 1.51,
    "overview_named": 6.73,
    "how_headed": 1.35,
    "first_passage": 0.61,
}
_NONE = {
    "bias": 11.16,
    "missing": -0.12,
    "rarest_missing": 0.81,
    "missing_modifier": 1.26,
    "missing_product": -0.41,
    "missing_thing": 1.64,
    "best": 15.79,
    "typical": 14.28,
    "best_lately": 8.38,
    "words": -0.59,
    "leans": -0.38,
    "story": -0.23,
    "stands_out": -0.71,
    "overview": 3.39,
    "turn_missing": 0.09,
    "turn_missing_leaning": 1.16,
    "unmet": 3.29,
}


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights in the order of `FOR_EACH` and `FOR_NONE`."""

    each: NDArray[np.float64]
    none: NDArray[np.float64]


FITTED = Weights(  # a new feature counts for nothing until it is fitted
    np.array([_EACH.get(name, 0.0) for name in FOR_EACH]), np.array([_NONE.get(name, 0.0) for name in FOR_NONE])
)
