"""Two rows of a table side by side, where a question compares what they tell of."""

import re

import numpy as np
from numpy.typing import NDArray

from teller.models.quote.candidates import Candidate
from teller.models.quote.evidence import Evidence
from teller.models.quote.question_words import matching, stems

_COMPARES = re.compile(
    r"\b(?:compare[ds]?|comparison|differ\w*|versus|vs|better|cheaper|which|between)\b", re.IGNORECASE
)
_SIDES = re.compile(r"\b(?:and|or|versus|vs|with|to|than|from)\b", re.IGNORECASE)


def side_by_side(evidence: Evidence, logits: NDArray[np.float64]) -> list[int]:
    """Return the two table rows that tell the two things compared; nothing where no table has both, or none are."""
    turn = evidence.asked.turn
    if not _COMPARES.search(turn):
        return []
    vocabulary = frozenset().union(*(candidate.own for candidate in evidence.candidates))
    found = dict(evidence.found) | matching(stems(turn), vocabulary)
    for border in _SIDES.finditer(turn):
        before, after = stems(turn[: border.start()]), stems(turn[border.end() :])
        left = next((w for w in reversed(before) if w not in after and found.get(w)), None)
        right = next((w for w in after if w not in before and found.get(w)), None)
        if left and right:
            pairs = [
                (logits[i] + logits[j], i, j)
                for i in _rows_named(found[left], found[right], evidence)
                for j in _rows_named(found[right], found[left], evidence)
                if same_table(evidence.candidates[i], evidence.candidates[j])
            ]
            if pairs:
                return list(max(pairs)[1:])
    return []


def _rows_named(word: frozenset[str], other: frozenset[str], evidence: Evidence) -> list[int]:
    """Return the table rows whose first cell holds one word, in any of its forms, and not the other."""
    rows = []
    for i, candidate in enumerate(evidence.candidates):
        name = set(stems(candidate.quotable.cells[0][1])) if candidate.quotable.cells else set()
        if name & word and not name & other:
            rows.append(i)
    return rows


def same_table(a: Candidate, b: Candidate) -> bool:
    """Return whether two rows stand in one table."""
    columns = [column for column, _ in a.quotable.cells], [column for column, _ in b.quotable.cells]
    return (
        a.passage is b.passage and a.quotable.context == b.quotable.context and bool(set(columns[0]) & set(columns[1]))
    )
