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
    "in_context": 21.88,
    "bare": 13.32,
    "heading": -0.28,
    "section": 16.39,
    "lately": 1.31,
    "lately_leaning": 5.95,
    "likeness": 4.37,
    "likeness_last": 4.13,
    "likeness_bare": 4.61,
    "own": 1.92,
    "headed": 2.48,
    "nearby": -0.46,
    "elsewhere": -2.12,
    "lacks": -0.15,
    "lacks_thing": -0.11,
    "lacks_head": -0.01,
    "lacks_name": -0.01,
    "lacks_topic": 0.71,
    "lacks_topic_bare": -1.11,
    "lacks_titled": -0.22,
    "lacks_modifier": -0.17,
    "row_fits": 2.8,
    "row_conflicts": -4.11,
    "text_fits": 1.24,
    "text_conflicts": -1.58,
    "day_fits": 2.69,
    "day_conflicts": -0.73,
    "untyped": -1.58,
    "list_asked": 2.88,
    "steps_asked": 0.18,
    "list_unasked": 0.28,
    "step_alone": -2.58,
    "row": -0.49,
    "row_unasked": 0.04,
    "item": -1.4,
    "list_under": 2.29,
    "decides": 0.66,
    "example": -0.25,
    "few_words": -1.58,
    "opens": -0.16,
    "overview_plain": 0.78,
    "overview_named": 19.85,
    "how_headed": 0.29,
    "tells_how": 2.46,
    "bounds": 0.71,
    "figure": 0.64,
    "offers": 4.1,
    "first_passage": 0.49,
}
_NONE = {
    "bias": 14.03,
    "missing": 0.96,
    "rarest_missing": 0.06,
    "missing_modifier": -0.04,
    "missing_product": 0.69,
    "missing_thing": 0.1,
    "best": 15.48,
    "typical": 7.89,
    "best_lately": -4.71,
    "words": -1.25,
    "leans": -0.61,
    "story": -0.12,
    "stands_out": -0.46,
    "overview": 2.07,
    "turn_missing": 0.23,
    "turn_missing_leaning": -0.31,
    "unmet": 1.67,
}
_READ = 0.75  # not fitted: the cross-encoder knows the questions that the others were fitted to


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights in the order of `FOR_EACH` and `FOR_NONE`, and that of what the cross-encoder says."""

    each: NDArray[np.float64]
    none: NDArray[np.float64]
    read: float = _READ


FITTED = Weights(  # a new feature counts for nothing until it is fitted
    np.array([_EACH.get(name, 0.0) for name in FOR_EACH]), np.array([_NONE.get(name, 0.0) for name in FOR_NONE])
)
