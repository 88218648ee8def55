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
    "in_context": 23.23,
    "bare": 5.94,
    "heading": 1.34,
    "section": 11.99,
    "lately": 7.88,
    "lately_leaning": 6.23,
    "own": 1.89,
    "headed": 1.96,
    "nearby": 0.59,
    "elsewhere": -1.37,
    "lacks": -1.25,
    "lacks_thing": -0.75,
    "lacks_head": 0.08,
    "lacks_name": -1.02,
    "lacks_topic": 0.35,
    "lacks_topic_bare": -0.15,
    "lacks_titled": -0.26,
    "lacks_modifier": -0.75,
    "row_fits": 2.7,
    "row_conflicts": -5.2,
    "text_fits": 2.05,
    "text_conflicts": -6.13,
    "day_fits": 2.86,
    "day_conflicts": -0.83,
    "untyped": -1.7,
    "list_asked": 6.1,
    "steps_asked": -0.89,
    "list_unasked": -3.33,
    "step_alone": -1.71,
    "row": -1.18,
    "row_unasked": -0.37,
    "item": -1.76,
    "list_under": 3.0,
    "decides": 0.35,
    "example": -5.65,
    "few_words": -1.34,
    "opens": 0.78,
    "overview_plain": 1.59,
    "overview_named": 6.71,
    "how_headed": 1.43,
    "first_passage": 0.64,
}
_NONE = {
    "bias": 12.3,
    "missing": 0.14,
    "rarest_missing": 0.12,
    "missing_modifier": 1.11,
    "missing_product": -0.13,
    "missing_thing": 1.55,
    "best": 17.94,
    "typical": 11.05,
    "best_lately": 9.89,
    "words": -0.75,
    "leans": -0.45,
    "story": -0.71,
    "stands_out": -0.91,
    "overview": 2.88,
    "turn_missing": -0.05,
    "turn_missing_leaning": 1.94,
    "unmet": 3.75,
}


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights in the order of `FOR_EACH` and `FOR_NONE`."""

    each: NDArray[np.float64]
    none: NDArray[np.float64]


FITTED = Weights(  # a new feature counts for nothing until it is fitted
    np.array([_EACH.get(name, 0.0) for name in FOR_EACH]), np.array([_NONE.get(name, 0.0) for name in FOR_NONE])
)
