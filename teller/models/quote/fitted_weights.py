"""What the numbers of the evidence count for when an answer is chosen.

Fitted by bench/calibrate_quote.py on bench/sets/quote_dev: 568 questions, 189 of them without an answer, over seven
collections (three banks, a bank's product sheets, a library, a clinic, a gym). Fit them again when a feature changes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teller.models.quote.evidence import FOR_EACH, FOR_NONE

_EACH = {
    "in_context": 19.0,
    "bare": 5.65,
    "heading": 1.73,
    "section": 15.73,
    "lately": 5.24,
    "lately_leaning": 6.72,
    "own": 1.43,
    "headed": 1.04,
    "elsewhere": -0.95,
    "lacks": -1.32,
    "lacks_thing": -0.69,
    "lacks_head": 0.36,
    "lacks_name": -1.24,
    "lacks_topic": 0.07,
    "lacks_modifier": -0.3,
    "row_fits": 2.14,
    "row_conflicts": -5.78,
    "text_fits": 2.04,
    "text_conflicts": -1.42,
    "day_fits": 2.49,
    "day_conflicts": -5.12,
    "untyped": -1.99,
    "list_asked": 5.34,
    "steps_asked": -0.22,
    "list_unasked": -1.89,
    "step_alone": -2.97,
    "row": -1.13,
    "opens": 1.19,
    "overview_plain": 1.52,
    "overview_named": 6.77,
    "how_headed": 1.37,
    "first_passage": 0.64,
}
_NONE = {
    "bias": 10.97,
    "missing": -0.26,
    "rarest_missing": 0.74,
    "missing_modifier": 1.31,
    "missing_product": -0.49,
    "missing_thing": 1.69,
    "best": 15.93,
    "typical": 13.83,
    "best_lately": 8.97,
    "words": -0.54,
    "leans": -0.36,
    "story": -0.3,
    "stands_out": -0.71,
    "overview": 3.39,
    "turn_missing": 0.28,
    "turn_missing_leaning": 0.97,
    "unmet": 2.44,
}


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights in the order of `FOR_EACH` and `FOR_NONE`."""

    each: NDArray[np.float64]
    none: NDArray[np.float64]


FITTED = Weights(  # a new feature counts for nothing until it is fitted
    np.array([_EACH.get(name, 0.0) for name in FOR_EACH]), np.array([_NONE.get(name, 0.0) for name in FOR_NONE])
)
