"""What the numbers of the evidence count for when an answer is chosen.

Fitted by bench/quote_fit.py on the collections of bench/sets: 16,020 questions, 2,312 of them without an answer, over
thirty-five collections (thirty-two banks, a library, a clinic, a gym). Fit them again, with likeness.npz, when a
feature changes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teller.models.quote.evidence import FOR_EACH, FOR_NONE

_EACH = {
    "in_context": 27.11,
    "bare": 10.84,
    "heading": -2.15,
    "section": 13.51,
    "lately": 1.61,
    "lately_leaning": 6.26,
    "likeness": 7.29,
    "likeness_last": 6.78,
    "likeness_bare": 8.08,
    "own": 2.14,
    "headed": 2.59,
    "nearby": 0.07,
    "elsewhere": -1.66,
    "lacks": 0.36,
    "lacks_thing": 0.02,
    "lacks_head": -0.04,
    "lacks_name": -0.21,
    "lacks_topic": 0.37,
    "lacks_topic_bare": -0.49,
    "lacks_titled": -0.4,
    "lacks_modifier": 0.02,
    "row_fits": 2.57,
    "row_conflicts": -1.3,
    "text_fits": 0.5,
    "text_conflicts": -0.44,
    "day_fits": 1.42,
    "day_conflicts": -1.06,
    "untyped": -1.37,
    "list_asked": 1.97,
    "steps_asked": -0.01,
    "list_unasked": -1.09,
    "step_alone": -1.69,
    "row": -0.47,
    "row_unasked": -0.29,
    "item": -0.33,
    "list_under": 3.04,
    "decides": 0.35,
    "example": -0.5,
    "few_words": -1.38,
    "opens": -0.15,
    "overview_plain": 0.16,
    "overview_named": 3.35,
    "how_headed": 0.78,
    "tells_how": 1.73,
    "bounds": 0.61,
    "figure": 0.38,
    "offers": 2.04,
    "first_passage": 0.44,
}
_NONE = {
    "bias": 7.13,
    "missing": 0.4,
    "rarest_missing": -0.39,
    "missing_modifier": -0.25,
    "missing_product": 0.34,
    "missing_thing": 0.2,
    "best": 36.82,
    "typical": -7.2,
    "best_lately": 5.53,
    "words": -0.31,
    "leans": -0.57,
    "story": -0.87,
    "stands_out": -0.47,
    "overview": 0.9,
    "turn_missing": 0.17,
    "turn_missing_leaning": 0.48,
    "unmet": 0.54,
}
# Not fitted: the cross-encoder knows the questions that the others were fitted to; see RETRIEVAL.md.
_READ = 1.25
_CAUTION = 0.5


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights in the order of `FOR_EACH` and `FOR_NONE`, and that of what the cross-encoder says.

    `caution` is how much likelier an answer must be than none where the cross-encoder had to be asked.
    """

    each: NDArray[np.float64]
    none: NDArray[np.float64]
    read: float = _READ
    caution: float = _CAUTION


FITTED = Weights(  # a new feature counts for nothing until it is fitted
    np.array([_EACH.get(name, 0.0) for name in FOR_EACH]), np.array([_NONE.get(name, 0.0) for name in FOR_NONE])
)
