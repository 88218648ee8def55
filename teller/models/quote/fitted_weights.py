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
    "in_context": 22.64,
    "bare": 6.02,
    "heading": 1.38,
    "section": 12.17,
    "lately": 8.17,
    "lately_leaning": 5.62,
    "own": 1.93,
    "headed": 2.05,
    "nearby": 0.58,
    "elsewhere": -1.39,
    "lacks": -1.14,
    "lacks_thing": -0.7,
    "lacks_head": 0.08,
    "lacks_name": -1.01,
    "lacks_topic": 0.35,
    "lacks_topic_bare": -0.12,
    "lacks_titled": -0.31,
    "lacks_modifier": -0.78,
    "row_fits": 2.7,
    "row_conflicts": -5.18,
    "text_fits": 2.06,
    "text_conflicts": -6.07,
    "day_fits": 2.87,
    "day_conflicts": -0.82,
    "untyped": -1.68,
    "list_asked": 5.3,
    "steps_asked": -0.79,
    "list_unasked": -3.27,
    "step_alone": -1.66,
    "row": -1.16,
    "row_unasked": -0.4,
    "item": -1.77,
    "list_under": 2.95,
    "decides": 0.36,
    "few_words": -1.45,
    "opens": 0.86,
    "overview_plain": 1.56,
    "overview_named": 6.68,
    "how_headed": 1.41,
    "first_passage": 0.61,
}
_NONE = {
    "bias": 12.27,
    "missing": 0.15,
    "rarest_missing": 0.14,
    "missing_modifier": 1.09,
    "missing_product": -0.12,
    "missing_thing": 1.59,
    "best": 17.75,
    "typical": 11.21,
    "best_lately": 9.68,
    "words": -0.73,
    "leans": -0.44,
    "story": -0.74,
    "stands_out": -0.92,
    "overview": 2.89,
    "turn_missing": -0.06,
    "turn_missing_leaning": 1.97,
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
