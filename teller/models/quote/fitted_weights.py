"""What the numbers of the evidence count for when an answer is chosen.

Fitted by bench/calibrate_quote.py on the collections of bench/sets: 3117 questions, 372 of them without an answer, over
nineteen collections (sixteen banks, a library, a clinic, a gym). Fit them again, with likeness.npz, when a feature
changes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teller.models.quote.evidence import FOR_EACH, FOR_NONE

_EACH = {
    "in_context": 21.7,
    "bare": 13.69,
    "heading": -0.18,
    "section": 16.11,
    "lately": 2.67,
    "lately_leaning": 5.07,
    "likeness": 4.11,
    "likeness_last": 3.86,
    "likeness_bare": 4.37,
    "own": 1.88,
    "headed": 2.48,
    "nearby": -0.31,
    "elsewhere": -2.14,
    "lacks": -0.1,
    "lacks_thing": -0.2,
    "lacks_head": -0.04,
    "lacks_name": 0.13,
    "lacks_topic": 0.53,
    "lacks_topic_bare": -1.11,
    "lacks_titled": -0.13,
    "lacks_modifier": -0.23,
    "row_fits": 2.81,
    "row_conflicts": -4.13,
    "text_fits": 1.01,
    "text_conflicts": -1.62,
    "day_fits": 2.6,
    "day_conflicts": -1.06,
    "untyped": -1.61,
    "list_asked": 2.86,
    "steps_asked": 0.13,
    "list_unasked": 0.33,
    "step_alone": -2.26,
    "row": -0.51,
    "row_unasked": -0.03,
    "item": -1.39,
    "list_under": 1.91,
    "decides": 0.68,
    "example": -0.32,
    "few_words": -1.33,
    "opens": -0.17,
    "overview_plain": 1.04,
    "overview_named": 20.61,
    "how_headed": 0.27,
    "tells_how": 2.39,
    "bounds": 0.64,
    "figure": 0.58,
    "offers": 4.2,
    "first_passage": 0.5,
}
_NONE = {
    "bias": 13.54,
    "missing": 0.93,
    "rarest_missing": -0.21,
    "missing_modifier": 0.0,
    "missing_product": 0.55,
    "missing_thing": 0.19,
    "best": 15.55,
    "typical": 8.04,
    "best_lately": -3.43,
    "words": -1.0,
    "leans": -0.65,
    "story": 0.0,
    "stands_out": -0.42,
    "overview": 2.0,
    "turn_missing": 0.64,
    "turn_missing_leaning": -0.1,
    "unmet": 1.25,
}


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights in the order of `FOR_EACH` and `FOR_NONE`."""

    each: NDArray[np.float64]
    none: NDArray[np.float64]


FITTED = Weights(  # a new feature counts for nothing until it is fitted
    np.array([_EACH.get(name, 0.0) for name in FOR_EACH]), np.array([_NONE.get(name, 0.0) for name in FOR_NONE])
)
