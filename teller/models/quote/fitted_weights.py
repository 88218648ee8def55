"""What the numbers of the evidence count for when an answer is chosen.

Fitted by bench/calibrate_quote.py on the collections of bench/sets, without the files more.jsonl and the banks
harley_mews, ocotillo, skerryglen and tussock: 1226 questions, 286 of them without an answer. Fit them again, with likeness.npz, when a feature
changes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teller.models.quote.evidence import FOR_EACH, FOR_NONE

_EACH = {
    "in_context": 12.43,
    "bare": 11.17,
    "heading": 5.45,
    "section": 9.58,
    "lately": 3.36,
    "lately_leaning": 5.01,
    "likeness": 3.42,
    "likeness_last": 3.41,
    "likeness_bare": 3.54,
    "own": 2.4,
    "headed": 2.5,
    "nearby": -0.74,
    "elsewhere": -2.17,
    "lacks": -0.66,
    "lacks_thing": -0.32,
    "lacks_head": -0.16,
    "lacks_name": -0.3,
    "lacks_topic": 0.04,
    "lacks_topic_bare": -0.85,
    "lacks_titled": -0.28,
    "lacks_modifier": -0.62,
    "row_fits": 3.29,
    "row_conflicts": -4.48,
    "text_fits": 1.95,
    "text_conflicts": -5.46,
    "day_fits": 3.64,
    "day_conflicts": -0.35,
    "untyped": -1.69,
    "list_asked": 5.27,
    "steps_asked": 1.11,
    "list_unasked": -1.17,
    "step_alone": -1.63,
    "row": -0.18,
    "row_unasked": -0.73,
    "item": -1.62,
    "list_under": 1.91,
    "decides": 0.63,
    "example": -6.85,
    "few_words": -0.23,
    "opens": 0.18,
    "overview_plain": 0.03,
    "overview_named": 6.38,
    "how_headed": 0.6,
    "tells_how": 2.25,
    "bounds": 0.99,
    "figure": 1.28,
    "offers": 4.48,
    "first_passage": 0.91,
}
_NONE = {
    "bias": 19.25,
    "missing": 0.79,
    "rarest_missing": 0.11,
    "missing_modifier": 0.73,
    "missing_product": 0.26,
    "missing_thing": 0.1,
    "best": 1.27,
    "typical": 4.15,
    "best_lately": -0.56,
    "words": -1.29,
    "leans": -0.08,
    "story": -0.22,
    "stands_out": -0.8,
    "overview": 0.99,
    "turn_missing": 0.9,
    "turn_missing_leaning": 0.91,
    "unmet": 1.34,
}


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights in the order of `FOR_EACH` and `FOR_NONE`."""

    each: NDArray[np.float64]
    none: NDArray[np.float64]


FITTED = Weights(  # a new feature counts for nothing until it is fitted
    np.array([_EACH.get(name, 0.0) for name in FOR_EACH]), np.array([_NONE.get(name, 0.0) for name in FOR_NONE])
)
