"""Tables in a PDF, which has none: rows of words that stand under each other, as pypdf's layout mode shows them."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from teller.knowledge.markdown import table

_CELL = re.compile(r"\S+(?: \S+)*")  # a wider gap parts columns
_WIDEST_CELL = 60  # wider ones are columns of prose
_FEWEST_ROWS = 3


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    start: int
    end: int

    def is_over(self, other: "_Cell") -> bool:
        return self.start < other.end and other.start < self.end


def with_tables(text: str, layout: str) -> str:
    """Return a page's text with its tables as Markdown.

    Args:
        text: The page in reading order, which keeps no columns.
        layout: The same page in layout mode, which keeps them but tears words apart here and there.

    A table is put in only where the text has the very same characters in one place, so no word is lost or doubled.
    """
    for rows in _tables(layout):
        text = _replaced(text, rows)
    return text


def _tables(layout: str) -> Iterator[list[list[str]]]:
    """Yield the grids of at least two columns and three rows, header included."""
    rows: list[list[_Cell]] = []
    for line in [*layout.split("\n"), "end"]:
        cells = [_Cell(found[0], *found.span()) for found in _CELL.finditer(line)]
        if not cells:
            continue
        placed = _placed(rows, cells)
        if placed is None:
            if len(rows) >= _FEWEST_ROWS:
                yield [[cell.text for cell in row] for row in rows]
            rows = [cells] if _may_begin(cells) else []
        else:
            rows = placed
    # "end" is one cell, which closes the last table


def _may_begin(cells: list[_Cell]) -> bool:
    return len(cells) > 1 and all(len(cell.text) <= _WIDEST_CELL for cell in cells)


def _placed(rows: list[list[_Cell]], cells: list[_Cell]) -> list[list[_Cell]] | None:
    """Return the rows with one more, or its words with the row before where a cell was wrapped; None: it is no row."""
    if not rows or not all(len(cell.text) <= _WIDEST_CELL for cell in cells):
        return None
    places: dict[int, _Cell] = {}
    for cell in cells:
        over = {place for row in rows for place, above in enumerate(row) if above.text and cell.is_over(above)}
        if len(over) != 1 or over & places.keys():
            return None
        places[over.pop()] = cell
    if len(places) == 1:
        return None
    empty = _Cell("", 0, 0)
    return [*rows, [places.get(place, empty) for place in range(len(rows[0]))]]


def _replaced(text: str, rows: list[list[str]]) -> str:
    """Put the table in place of its words, if they stand together; else leave the text as it is."""
    places = [place for place, char in enumerate(text) if not char.isspace()]
    solid = "".join(text[place] for place in places)
    first, whole = (_solid(part) for part in ("".join(rows[0]), "".join(map("".join, rows))))
    begin = solid.find(first)
    end = begin + len(whole)
    if begin < 0 or end > len(solid) or Counter(solid[begin:end]) != Counter(whole):
        return text
    before, after = text[: places[begin]], text[places[end - 1] + 1 :]
    return f"{before.rstrip()}\n\n{table(rows)}\n\n{after.lstrip()}"


def _solid(text: str) -> str:
    return "".join(text.split())
