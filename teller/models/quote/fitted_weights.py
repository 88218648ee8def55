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
    "in_context": 22.11,
    "bare": 13.53,
    "heading": -0.38,
    "section": 16.26,
    "lately": 2.77,
    "lately_leaning": 4.94,
    "likeness": 4.01,
    "likeness_last": 3.76,
    "likeness_bare": 4.04,
    "own": 1.78,
    "headed": 2.4,
    "nearby": -0.32,
    "elsewhere": -2.14,
    "lacks": -0.05,
    "lacks_thing": -0.18,
    "lacks_head": -0.02,
    "lacks_name": 0.09,
    "lacks_topic": 0.55,
    "lacks_topic_bare": -1.1,
    "lacks_titled": -0.13,
    "lacks_modifier": -0.25,
    "row_fits": 3.0,
    "row_conflicts": -4.16,
    "text_fits": 0.97,
    "text_conflicts": -1.79,
    "day_fits": 2.68,
    "day_conflicts": -0.95,
    "untyped": -1.66,
    "list_asked": 2.87,
    "steps_asked": 0.39,
    "list_unasked": 0.37,
    "step_alone": -2.44,
    "row": -0.53,
    "row_unasked": 0.01,
    "item": -1.43,
    "list_under": 2.18,
    "decides": 0.73,
    "example": -0.42,
    "few_words": -1.36,
    "opens": -0.14,
    "overview_plain": 0.89,
    "overview_named": 22.77,
    "how_headed": 0.48,
    "tells_how": 2.42,
    "bounds": 0.65,
    "figure": 0.54,
    "offers": 4.32,
    "first_passage": 0.49,
}
_NONE = {
    "bias": 13.4,
    "missing": 0.91,
    "rarest_missing": -0.25,
    "missing_modifier": 0.0,
    "missing_product": 0.57,
    "missing_thing": 0.16,
    "best": 16.4,
    "typical": 7.98,
    "best_lately": -3.47,
    "words": -1.03,
    "leans": -0.68,
    "story": 0.01,
    "stands_out": -0.41,
    "overview": 2.39,
    "turn_missing": 0.59,
    "turn_missing_leaning": -0.18,
    "unmet": 1.31,
}


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights in the order of `FOR_EACH` and `FOR_NONE`."""

    each: NDArray[np.float64]
    none: NDArray[np.float64]


FITTED = Weights(  # a new feature counts for nothing until it is fitted
    np.array([_EACH.get(name, 0.0) for name in FOR_EACH]), np.array([_NONE.get(name, 0.0) for name in FOR_NONE])
)
