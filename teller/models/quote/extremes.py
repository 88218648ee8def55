"""The table row that has the most or the least: "which deposit pays the most", "the biggest box"."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from teller.models.quote.agreement import compare, row_name
from teller.models.quote.candidates import Candidate
from teller.models.quote.evidence import Evidence
from teller.models.quote.facets import facets
from teller.models.quote.question_words import stems

_MOST = re.compile(
    r"\b(?:most|highest|biggest|largest|longest|greatest|dearest|best (?:rate|interest))\b", re.IGNORECASE
)
_LEAST = re.compile(r"\b(?:least|lowest|smallest|cheapest|shortest|fewest)\b", re.IGNORECASE)
_ASKS_WHICH = re.compile(r"\b(?:which|what|where)\b|\bhow much is the\b", re.IGNORECASE)
_PAYS = re.compile(r"\b(?:pays?|earns?|yields?|interest|rates?|returns?)\b", re.IGNORECASE)
_NEAR = 2.0  # how far a row's logit may be below the best one's
_AHEAD = 2.0  # from where on the best row is not one of those that are compared
_NO_MEASURE = frozenset({"weekday", "date", "year"})


def extreme_row(evidence: Evidence, logits: NDArray[np.float64]) -> list[int]:
    """Return the row with the most or least of what was asked, or nothing where no superlative or no table fits.

    It is looked for in the table of the best row that is near the best candidate, in the column asked for by a word,
    or else in the first one whose values are all of one kind.
    """
    turn = evidence.asked.turn
    wants_most = bool(_MOST.search(turn))
    if wants_most == bool(_LEAST.search(turn)) or not _ASKS_WHICH.search(turn):
        return []
    near = [i for i, c in enumerate(evidence.candidates) if c.quotable.cells and logits[i] > logits.max() - _NEAR]
    if not near:
        return []
    best = evidence.candidates[max(near, key=lambda i: logits[i])]
    if any(compare(facet, row_name(best)) == "fits" for facet in evidence.asked.facets):  # "the least for 9 months"
        return []
    columns = [column for column, _ in best.quotable.cells]
    rows = [
        i
        for i, other in enumerate(evidence.candidates)
        if other.passage is best.passage and [column for column, _ in other.quotable.cells] == columns
    ]
    second = max((logits[i] for i in rows if evidence.candidates[i] is not best), default=-np.inf)
    if logits.max() - second > _AHEAD:  # "the smallest order of Swiss francs" asks for one row, by whatever name
        return []
    asked = frozenset().union(*evidence.found.values()) - best.context
    named = [i for i, column in enumerate(columns) if asked & set(stems(column))]
    rates = [i for i, (_, value) in enumerate(best.quotable.cells) if _PAYS.search(turn) and "%" in value]
    for place in (*named, *rates, *range(1, len(columns))):
        measured = [_measure(evidence.candidates[row], place) for row in rows]
        kinds = {kind for kind, _ in measured}
        if len(rows) > 1 and len(kinds) == 1 and kinds != {""}:
            pick = max if wants_most else min
            return [pick(zip(rows, measured, strict=True), key=lambda pair: pair[1][1])[0]]
    return []


def _measure(row: Candidate, place: int) -> tuple[str, float]:
    """Return the first number of a cell with its kind; "" where it has none."""
    told: Sequence[tuple[str, float]] = [
        (facet.kind, facet.low) for facet in facets(row.quotable.cells[place][1]) if facet.kind not in _NO_MEASURE
    ]
    return told[0] if told else ("", 0.0)
