"""Does a candidate speak of the amount, term, day or year that was asked about, or of another one?"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from teller.models.quote.candidates import Candidate
from teller.models.quote.facets import Facet, facets

FOR_AGREEMENT = (
    "row_fits",  # facets of the question that a table row's name or one of its columns has
    "row_conflicts",  # ... where it has another one: "24 months", and 36 were asked
    "text_fits",  # the same for sentences, items and lists
    "text_conflicts",
    "day_fits",  # the same for days of the week and of the year, in all of them
    "day_conflicts",
)
Agreement = Literal["fits", "conflicts", "silent"]

_OF_ROWS_ONLY = frozenset({"money", "percent", "number"})  # in sentences such numbers say too many other things
_OF_DAYS = frozenset({"weekday", "date"})
_OF_VALUES = frozenset({"weekday", "date", "year"})  # what a row may hold in its cells


def agreements(asked: Sequence[Facet], candidates: Sequence[Candidate]) -> NDArray[np.float64]:
    """Return a row of `FOR_AGREEMENT` for each candidate."""
    table = np.zeros((len(candidates), len(FOR_AGREEMENT)))
    for facet in asked:
        rivals: dict[tuple[int, str], float] = {}  # a table's narrowest range that holds what was asked
        for candidate in candidates:
            if candidate.quotable.cells and (width := _width(facet, row_name(candidate))) is not None:
                key = _table_of(candidate)
                rivals[key] = min(width, rivals.get(key, width))
        for i, candidate in enumerate(candidates):
            is_row = bool(candidate.quotable.cells)
            agreed = _of_row(facet, candidate) if is_row else _of_text(facet, candidate)
            width = _width(facet, row_name(candidate)) if is_row else None
            if width is not None and width > rivals[_table_of(candidate)] and facet.kind not in _OF_DAYS:
                agreed = "conflicts"
            if agreed != "silent":
                of_kind = 4 if facet.kind in _OF_DAYS else 0 if is_row else 2
                table[i, of_kind + (agreed == "conflicts")] += 1
    return table


def contradicts(asked: Sequence[Facet], candidate: Candidate) -> bool:
    """Return whether a candidate speaks of another one than was named: another term, year or size, a row of other days.

    A year that is named must be told where the answer stands.
    """
    for facet in asked:
        agreed = _of_row(facet, candidate) if candidate.quotable.cells else _of_text(facet, candidate)
        if facet.kind == "year" and facet.names and agreed == "silent":
            passage = candidate.passage
            agreed = compare(facet, f"{passage.heading} {passage.text} {passage.effective or ''}")
            if agreed != "fits":
                return True
        hard = facet.names or (facet.kind == "weekday" and candidate.quotable.cells)
        if hard and agreed == "conflicts":
            return True
    return False


def lists_others(asked: Sequence[Facet], candidates: Sequence[Candidate]) -> bool:
    """Return whether a term or size was named that nothing has, while table rows tell of others."""
    for facet in (facet for facet in asked if facet.names and facet.kind in ("months", "size")):
        agreed = [_of_row(facet, c) for c in candidates if c.quotable.cells]
        if "conflicts" in agreed and not any(has(facet, candidate) for candidate in candidates):
            return True
    return False


def restated(asked: Sequence[Facet], values: Sequence[str]) -> set[int]:
    """Return which values only say again the day or year that was asked about."""
    days = [facet for facet in asked if facet.kind in ("date", "year")]
    return {i for i, value in enumerate(values) if any(compare(facet, value) == "fits" for facet in days)}


def has(facet: Facet, candidate: Candidate) -> bool:
    """Return whether a candidate, or what it stands under, has a facet."""
    return (_of_row(facet, candidate) if candidate.quotable.cells else _of_text(facet, candidate)) == "fits"


def compare(asked: Facet, text: str) -> Agreement:
    """Return whether a text has the facet, has only others of its kind, or has none."""
    told = facets(text)
    if any(asked.meets(facet) for facet in told):
        return "fits"
    return "conflicts" if any(facet.kind == asked.kind for facet in told) else "silent"


def fitting_columns(asked: Sequence[Facet], columns: Sequence[str]) -> tuple[set[int], set[int]]:
    """Return which columns have a facet of the question, and which have another of its kind instead."""
    agreed = [{compare(facet, column) for facet in asked} for column in columns]
    conflicting = {i for i, all_of in enumerate(agreed) if "conflicts" in all_of}
    if len(conflicting) == len(columns):
        conflicting = set()
    return {i for i, all_of in enumerate(agreed) if "fits" in all_of} - conflicting, conflicting


def narrowest(asked: Sequence[Facet], chosen: set[int], columns: Sequence[str]) -> set[int]:
    """Return those of the chosen columns whose range holds a number most closely: "up to 75%" before "up to 90%"."""
    for facet in asked:
        widths = {i: width for i in chosen if (width := _width(facet, columns[i])) is not None}
        if facet.kind not in _OF_DAYS and widths:
            chosen = chosen - {i for i, width in widths.items() if width > min(widths.values())}
    return chosen


def row_name(row: Candidate) -> str:
    """Return a table row's name after its column's, which may say what it is: "Property price up to" "$200,000"."""
    return " ".join(row.quotable.cells[0])


def _of_row(facet: Facet, row: Candidate) -> Agreement:
    named = compare(facet, row_name(row))
    if named != "silent":
        return named
    columns = [compare(facet, column) for column, _ in row.quotable.cells[1:]]
    if "fits" in columns:
        return "fits"
    if "conflicts" in columns and facet.kind not in _OF_VALUES:
        return "conflicts"
    if facet.kind in _OF_VALUES or facet.names:
        in_cells = {compare(facet, value) for _, value in row.quotable.cells[1:]} | set(columns)
        if in_cells != {"silent"}:
            return "fits" if "fits" in in_cells else "conflicts"
    return "silent" if facet.kind in _OF_ROWS_ONLY else compare(facet, row.quotable.context)


def _of_text(facet: Facet, candidate: Candidate) -> Agreement:
    own = compare(facet, candidate.quotable.text)
    if facet.kind in _OF_ROWS_ONLY:
        return "fits" if own == "fits" and facet.kind != "money" else "silent"
    return own if own != "silent" else compare(facet, candidate.quotable.context)


def _width(facet: Facet, text: str) -> float | None:
    """Return how wide the narrowest range of a text is that has the facet; None where none has."""
    return min((told.high - told.low for told in facets(text) if facet.meets(told)), default=None)


def _table_of(row: Candidate) -> tuple[int, str]:
    return id(row.passage), " | ".join(column for column, _ in row.quotable.cells)
