"""A section too long for one passage is cut: prose between sentences, lists between items, tables between rows."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from teller.knowledge.markdown import LIST_ITEM, TABLE_ROW, is_table_rule

Measure = Callable[[str], int]

_LONGEST_WORD = 50  # of a word, 50 characters are at most 150 tokens
_SENTENCE_BORDER = re.compile(r"(?<=[.!?])\s+(?=[\"“'(\[]?[A-Z0-9])")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a section's text, and its size."""

    text: str
    size: int


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is not cut further. `joint` parts it from the unit before.

    `repeat` is said again where a piece begins with this unit: the sentence before it, the list's lead-in, or the
    table's header. `together` is the size of the list or table that begins here, 0 elsewhere.
    """

    text: str
    size: int
    joint: str
    repeat: str = ""
    together: int = 0


def cut(text: str, room: int, measure: Measure) -> Iterator[Piece]:
    """Yield the text in pieces of at most `room`, each as large as it can be; a list or table that fits stays whole.

    Args:
        text: A section's text, in Markdown.
        room: The largest size of a piece; at least 150, what the longest part of a word can take.
        measure: The size of a text; at most additive over white space.
    """
    piece = Piece("", 0)
    for unit in _units(text, room, measure):
        whole = unit.together if unit.together <= room else unit.size
        if piece.text and piece.size + max(unit.size, whole) > room:
            yield piece
            repeated = measure(unit.repeat)
            again = repeated <= room // 4 and repeated + max(unit.size, whole) <= room
            piece = Piece(unit.repeat, repeated) if again else Piece("", 0)
        joined = f"{piece.text}{unit.joint}{unit.text}" if piece.text else unit.text
        piece = Piece(joined, piece.size + unit.size)
    yield piece


def _units(text: str, room: int, measure: Measure) -> Iterator[_Unit]:
    last = ""  # the sentence before, which a list or table may need to be understood
    for kind, lines in _blocks(text):
        if kind == "table":
            units = _table_units(lines, last, measure)
        elif kind == "list":
            units = _list_units(lines, last, measure)
        else:
            units = _prose_units(lines, last, measure)
        for unit in units:
            yield from _bounded(unit, room, measure)
        last = units[-1].text if kind == "prose" else ""


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each run of lines of one kind; the items of a list may have blank lines between them."""
    lines = text.split("\n")
    kinds: list[str] = []
    for line in lines:
        before = kinds[-1] if kinds else ""
        if not line.strip():
            kinds.append("list" if before == "list" else "blank")
        elif LIST_ITEM.match(line) or (before == "list" and line[0].isspace()):
            kinds.append("list")
        else:
            kinds.append("table" if TABLE_ROW.match(line) else "prose")
    for kind, run in groupby(zip(kinds, lines, strict=True), key=lambda pair: pair[0]):
        if kind != "blank":
            yield kind, [line for _, line in run if line.strip()]


def _table_units(rows: list[str], lead: str, measure: Measure) -> list[_Unit]:
    """One unit a row; the header goes with the first and is repeated for the others."""
    headed = len(rows) > 2 and is_table_rule(rows[1])
    header = "\n".join(rows[:2]) if headed else ""
    first = "\n".join(rows[:3]) if headed else rows[0]
    together = sum(measure(row) for row in rows)
    units = [_Unit(first, measure(first), "\n\n", lead, together)]
    return units + [_Unit(row, measure(row), "\n", header) for row in rows[3 if headed else 1 :]]


def _list_units(lines: list[str], lead: str, measure: Measure) -> list[_Unit]:
    """One unit an item with its further lines; a lead-in ("You need:") is repeated for every one."""
    items: list[str] = []
    for line in lines:
        if LIST_ITEM.match(line) or not items:
            items.append(line)
        else:
            items[-1] += f"\n{line}"
    together = sum(measure(item) for item in items)
    units = [_Unit(items[0], measure(items[0]), "\n\n", lead, together)]
    return units + [_Unit(item, measure(item), "\n", lead if lead.endswith(":") else "") for item in items[1:]]


def _prose_units(lines: list[str], last: str, measure: Measure) -> list[_Unit]:
    """One unit a sentence; the sentence before is repeated, so that neighbouring passages overlap."""
    units: list[_Unit] = []
    for line in lines:
        for place, sentence in enumerate(_SENTENCE_BORDER.split(line)):
            joint = ("\n" if place == 0 else " ") if units else "\n\n"
            units.append(_Unit(sentence, measure(sentence), joint, units[-1].text if units else last))
    return units


def _bounded(unit: _Unit, room: int, measure: Measure) -> Iterator[_Unit]:
    """Yield the unit, or what it must be cut into because it alone is larger than a piece."""
    if unit.size <= room:
        yield unit
        return
    joint, part, size = unit.joint, "", 0
    for gap, word in _short_words(unit.text):
        more = measure(word)
        if part and size + more > room:
            yield _Unit(part, size, joint)
            joint, part, size = gap, "", 0
        part, size = f"{part}{gap}{word}" if part else word, size + more
    yield _Unit(part, size, joint)


def _short_words(text: str) -> Iterator[tuple[str, str]]:
    """Yield each word with the gap before it; a long one in parts with no gap, small enough for any piece."""
    for word in text.split():
        for start in range(0, len(word), _LONGEST_WORD):
            yield "" if start else " ", word[start : start + _LONGEST_WORD]
