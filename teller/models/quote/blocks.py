"""The blocks of a text: headings, paragraphs, lists and tables, from Markdown or from plain text with wrapped lines."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HEADING = re.compile(r"#{1,6}\s+(.+?)\s*#*$|\*\*([^*]+)\*\*:?$")
_ITEM = re.compile(r"(?P<indent>\s*)(?:[-*+\u2022\u2013]|\d{1,2}[.)])\s+(?P<text>.+)")
_NUMBERED = re.compile(r"\s*\d")
_RULE = re.compile(r"[\s|:-]+$")
_MARKUP = re.compile(r"\*\*|__|`|^>\s?|(?<!\w)[*_](?=\w)|(?<=[\w.!?])[*_](?!\w)")
_LINK = re.compile(r"!?\[([^\]\[]{0,300})\]\([^()]{0,500}\)")
_RUN_IN = re.compile(r"(?:\*\*|__)([^*_]{2,45}?)[.:]?(?:\*\*|__)[.:]?\s+(?=[A-Z$\u00a3\u20ac\d])")
_ENDS_HEADING = re.compile(r"[.:](?:\*\*|__)|(?:\*\*|__)[.:]")
_PAIR = re.compile(r"(?P<name>[^|:?!]{2,50}?):\s+(?P<value>\S.{0,60})$")
_CLAUSE = re.compile(r"\A\d{1,2}(?:\.[12]?\d)+\.?\s+(?=[A-Z])")  # "4.1 Keep the receipt": a number that nobody says
_LONGEST_PLAIN_HEADING = 45


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text on one line, without markup."""

    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """A list item; `parent` is the item that it is nested under, if any."""

    text: str
    parent: str = ""

    @property
    def full(self) -> str:
        """The item in a flat list."""
        return f"{self.parent} {self.text}" if self.parent.endswith(":") else self.text


@dataclass(frozen=True, slots=True)
class Items:
    """The items of one list, nested ones after their parent; `ordered` where they are numbered."""

    items: tuple[Item, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table's column names and the cells of its rows; no names where the text has only rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def plain(text: str) -> str:
    """Return text without Markdown's marks and with single spaces."""
    return " ".join(_MARKUP.sub("", _LINK.sub(r"\1", text)).split())


def blocks(text: str) -> Iterator[str | Paragraph | Items | Table]:
    """Yield the blocks in reading order; a heading is a plain string."""
    lines = [line.rstrip() for line in text.splitlines()]
    i = 0
    while i < len(lines):
        if not lines[i].strip():
            i += 1
        elif heading := _heading(lines, i):
            yield heading
            i += 1
        else:
            kind = _kind(lines[i])
            end = i + 1
            while end < len(lines) and _belongs(lines, end, kind):
                end += 1
            yield from _run_in(kind, lines[i:end])
            i = end


def _run_in(kind: str, lines: list[str]) -> Iterator[str | Paragraph | Items | Table]:
    """Yield a block; a paragraph's first words in bold ("**Holds.** Of a deposit …") are its heading."""
    if kind == "paragraph":
        if (bold := _RUN_IN.match(lines[0])) and _ENDS_HEADING.search(bold[0]):
            yield plain(bold[1])
            lines = [lines[0][bold.end() :], *lines[1:]]
        yield from _pairs(lines)
    else:
        yield _read(kind, lines)


def _pairs(lines: list[str]) -> Iterator[Paragraph | Table]:
    """Yield a paragraph; lines of the form "name: value", two or more of them in a row, as rows of a table."""
    pairs = [_PAIR.match(plain(line)) for line in lines]
    start = next((i for i in range(len(lines) - 1) if pairs[i] and pairs[i + 1]), len(lines))
    rows = [pair for pair in pairs[start:] if pair]
    if len(rows) < 2 or len(rows) != len(lines) - start or sum(row["value"].endswith(".") for row in rows) > 1:
        yield Paragraph(_CLAUSE.sub("", plain(" ".join(lines))))
        return
    if start:
        yield Paragraph(plain(" ".join(lines[:start])))
    yield Table(("", ""), tuple((row["name"], row["value"]) for row in rows))


def _heading(lines: list[str], i: int) -> str:
    """Return the heading in a line, or "". In plain text it is a short first line without a full stop."""
    line = lines[i].strip()
    if marked := _HEADING.match(line):
        return plain(marked[1] or marked[2])
    first = i == 0 or not lines[i - 1].strip() or bool(_HEADING.match(lines[i - 1].strip()))
    short = len(line) <= _LONGEST_PLAIN_HEADING and line[-1] not in ".!?:,;" and line[0].isupper()
    followed = any(rest.strip() for rest in lines[i + 1 :])
    return plain(line) if first and short and followed and _kind(line) == "paragraph" else ""


def _kind(line: str) -> str:
    if line.lstrip().startswith("|"):
        return "table"
    return "list" if _ITEM.match(line) else "paragraph"


def _belongs(lines: list[str], i: int, kind: str) -> bool:
    line = lines[i]
    if not line.strip():  # a blank line ends everything but a loose list
        return kind == "list" and i + 1 < len(lines) and _kind(lines[i + 1]) == "list"
    if _HEADING.match(line.strip()):
        return False
    if kind == "list":
        return _kind(line) == "list" or line[0].isspace() or (bool(lines[i - 1].strip()) and line[0].islower())
    return _kind(line) == kind


def _read(kind: str, lines: list[str]) -> Paragraph | Items | Table:
    if kind == "table":
        return _table(lines)
    return _items(lines) if kind == "list" else Paragraph(plain(" ".join(lines)))


def _items(lines: list[str]) -> Items:
    items: list[Item] = []
    parents: list[tuple[int, str]] = []  # the open items above, with their indents
    for line in lines:
        found = _ITEM.match(line)
        if found:
            indent = len(found["indent"].expandtabs(4))
            parents = [parent for parent in parents if parent[0] < indent]
            items.append(Item(plain(found["text"]), parents[-1][1] if parents else ""))
            parents.append((indent, items[-1].text))
        elif line.strip() and items:
            items[-1] = Item(f"{items[-1].text} {plain(line)}", items[-1].parent)
    named = {item.parent for item in items}
    kept = (item for item in items if item.text and (item.text not in named or item.text.endswith((".", "!", "?"))))
    return Items(tuple(kept), ordered=bool(_NUMBERED.match(lines[0])))


def _table(lines: list[str]) -> Table:
    rows = [tuple(plain(cell) for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))) for line in lines]
    headed = [bool(_RULE.match(line)) for line in lines[:2]] == [False, True]
    body = [row for row, line in zip(rows, lines, strict=True) if not _RULE.match(line)]
    columns = body[0] if headed else ("",) * max(map(len, body), default=0)
    return Table(columns, tuple(body[1:] if headed else body))
