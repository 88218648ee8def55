"""Rows of a table that tell of one thing in several forms: "New card, by mail" and "New card, by express"."""

import re

from teller.models.quote.agreement import compare
from teller.models.quote.candidates import Candidate
from teller.models.quote.comparison import same_table
from teller.models.quote.evidence import Evidence
from teller.models.quote.question_words import stems

_BORDER = re.compile(r",| \(|: | [\u2013\u2014-] ")
_MOST = 3  # rows that are told; of more forms the likeliest is


def variants(best: int, evidence: Evidence) -> list[int]:
    """Return the rows of all forms of what the best row tells of; nothing where it was asked which, or there is one."""
    row = evidence.candidates[best]
    thing = _thing_of(row)
    rows = [
        i
        for i, other in enumerate(evidence.candidates)
        if thing and (i == best or (same_table(row, other) and _thing_of(other) == thing))
    ]
    if not 1 < len(rows) <= _MOST:
        return []
    asked = frozenset().union(*evidence.found.values()) - set(stems(thing))
    names = [evidence.candidates[i].quotable.cells[0][1] for i in rows]
    told_apart = any(
        asked & set(stems(name)) or any(compare(facet, name) == "fits" for facet in evidence.asked.facets)
        for name in names
    )
    return [] if told_apart else rows


def _thing_of(row: Candidate) -> str:
    """Return what stands before the form in a table row's name; "" where it has none."""
    if not row.quotable.cells:
        return ""
    thing, *form = _BORDER.split(row.quotable.cells[0][1], maxsplit=1)
    return thing.casefold().strip() if form else ""
