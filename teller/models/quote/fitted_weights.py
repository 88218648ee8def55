"""What the numbers of the evidence count for when an answer is chosen.

Fitted by bench/calibrate_quote.py on bench/sets/quote_dev, second_bank and third_bank: 869 questions, 264 of them
without an answer, over eleven collections (seven banks, a bank's product sheets, a library, a clinic, a gym). Fit them
again when a feature changes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teller.models.quote.evidence import FOR_EACH, FOR_NONE

_EACH = {
    "in_context": 23.34,
    "bare": 5.95,
    "heading": 1.35,
    "section": 12.14,
    "lately": 7.92,
    "lately_leaning": 6.3,
    "own": 1.83,
    "headed": 1.86,
    "nearby": 0.55,
    "elsewhere": -1.43,
    "lacks": -1.15,
    "lacks_thing": -0.75,
    "lacks_head": 0.06,
    "lacks_name": -1.01,
    "lacks_topic": 0.38,
    "lacks_topic_bare": -0.22,
    "lacks_titled": -0.28,
    "lacks_modifier": -0.76,
    "row_fits": 2.59,
    "row_conflicts": -5.47,
    "text_fits": 2.01,
    "text_conflicts": -5.89,
    "day_fits": 2.65,
    "day_conflicts": -1.88,
    "untyped": -1.71,
    "list_asked": 6.12,
    "steps_asked": -0.89,
    "list_unasked": -3.29,
    "step_alone": -1.73,
    "row": -1.2,
    "row_unasked": -0.51,
    "item": -1.73,
    "list_under": 2.99,
    "decides": 0.37,
    "example": -5.64,
    "few_words": -1.31,
    "opens": 0.77,
    "overview_plain": 1.6,
    "overview_named": 6.78,
    "how_headed": 1.43,
    "first_passage": 0.65,
}
_NONE = {
    "bias": 12.15,
    "missing": -0.0,
    "rarest_missing": 0.12,
    "missing_modifier": 1.12,
    "missing_product": -0.18,
    "missing_thing": 1.57,
    "best": 18.45,
    "typical": 11.09,
    "best_lately": 10.06,
    "words": -0.86,
    "leans": -0.15,
    "story": -0.56,
    "stands_out": -0.89,
    "overview": 2.82,
    "turn_missing": 0.1,
    "turn_missing_leaning": 1.42,
    "unmet": 3.42,
}


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights in the order of `FOR_EACH` and `FOR_NONE`."""

    each: NDArray[np.float64]
    none: NDArray[np.float64]


FITTED = Weights(  # a new feature counts for nothing until it is fitted
    np.array([_EACH.get(name, 0.0) for name in FOR_EACH]), np.array([_NONE.get(name, 0.0) for name in FOR_NONE])
)
