"""What the numbers of the evidence count for when an answer is chosen.

Fitted by bench/calibrate_quote.py on bench/sets/quote_dev and second_bank: 721 questions, 233 of them without an
answer, over nine collections (five banks, a bank's product sheets, a library, a clinic, a gym). Fit them again when a
feature changes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teller.models.quote.evidence import FOR_EACH, FOR_NONE

_EACH = {
    "in_context": 20.97,
    "bare": 5.63,
    "heading": 0.77,
    "section": 14.62,
    "lately": 9.53,
    "lately_leaning": 3.16,
    "own": 2.05,
    "headed": 1.52,
    "nearby": 0.15,
    "elsewhere": -1.3,
    "lacks": -1.07,
    "lacks_thing": -0.3,
    "lacks_head": 0.12,
    "lacks_name": -0.52,
    "lacks_topic": 0.0,
    "lacks_modifier": -0.8,
    "row_fits": 2.45,
    "row_conflicts": -5.63,
    "text_fits": 2.09,
    "text_conflicts": -1.88,
    "day_fits": 2.38,
    "day_conflicts": -4.96,
    "untyped": -1.9,
    "list_asked": 5.52,
    "steps_asked": -0.22,
    "list_unasked": -2.19,
    "step_alone": -2.93,
    "row": -1.3,
    "opens": 1.14,
    "overview_plain": 1.44,
    "overview_named": 7.0,
    "how_headed": 1.68,
    "first_passage": 0.72,
}
_NONE = {
    "bias": 11.49,
    "missing": -0.27,
    "rarest_missing": 0.89,
    "missing_modifier": 0.8,
    "missing_product": -0.12,
    "missing_thing": 1.64,
    "best": 17.08,
    "typical": 13.69,
    "best_lately": 9.29,
    "words": -0.97,
    "leans": -0.64,
    "story": 0.09,
    "stands_out": -0.78,
    "overview": 2.92,
    "turn_missing": -0.07,
    "turn_missing_leaning": 1.2,
    "unmet": 3.73,
}


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights in the order of `FOR_EACH` and `FOR_NONE`."""

    each: NDArray[np.float64]
    none: NDArray[np.float64]


FITTED = Weights(  # a new feature counts for nothing until it is fitted
    np.array([_EACH.get(name, 0.0) for name in FOR_EACH]), np.array([_NONE.get(name, 0.0) for name in FOR_NONE])
)
