"""Markdown, the one form in which every document is read: its front matter, and its sections by heading."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

import yaml

from teller.errors import DocumentRejectedError

_MAX_FRONT_MATTER = 5_000
_MAX_HEADING = 150

# A shorter line was ended on purpose (an address, opening hours); a longer one was wrapped by an editor or a PDF.
_WRAPPED_LINE = 50

_TITLE_WITH_COLON = re.compile(r"^(\w+):[ \t]+(\w.*:[ \t].*)$", re.MULTILINE)
_FENCE = re.compile(r"\s*(```|~~~)")
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(\S.*)")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_PARAGRAPH = re.compile(r" {0,3}(?![\s>]).*\w")
LIST_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+\S")
TABLE_ROW = re.compile(r"\s*\||.*\S \| \S")
_TABLE_RULE = frozenset("|:- \t")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it, up to the next heading.

    `heading` names the headings above it too ("Fees: Gold card") and is empty for a lead without one. In `text` blocks
    are parted by a blank line, and a line break is one that the author meant: wrapped prose is made whole.
    """

    heading: str
    text: str


def split_front_matter(text: str) -> tuple[dict[str, object], str]:
    """Return the YAML front matter, its values as they are written, and the Markdown after it.

    "title: Savings: rates" is no YAML and is read as it is meant.

    Raises:
        DocumentRejectedError: the front matter is no valid YAML.
    """
    end = text.find("\n---", 3, _MAX_FRONT_MATTER) if text.startswith("---\n") else -1
    if end < 0:
        return {}, text
    try:
        fields = _fields(text[4 : end + 1])
    except (yaml.YAMLError, RecursionError) as error:
        raise DocumentRejectedError("The front matter between the --- lines is not valid YAML: mend it.") from error
    if not isinstance(fields, dict):
        return {}, text  # two thematic breaks with prose between them
    whole = {name: whole_letters(value) if isinstance(value, str) else value for name, value in fields.items()}
    return whole, text[end + 4 :].lstrip("-")


def _fields(front_matter: str) -> object:
    try:
        return yaml.load(front_matter, Loader=yaml.BaseLoader)  # noqa: S506 - safe: it makes strings only
    except yaml.YAMLError:
        quoted = _TITLE_WITH_COLON.sub(
            lambda line: f"{line[1]}: {json.dumps(line[2], ensure_ascii=False)}", front_matter
        )
        return yaml.load(quoted, Loader=yaml.BaseLoader)  # noqa: S506


def whole_letters(text: str) -> str:
    """Return a text without surrogates: a pair, as JSON writes an emoji, becomes its letter; a lone half is replaced.

    What still holds one can be neither counted in tokens nor stored.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def lone_title(markdown: str) -> str:
    """Return the heading of level 1 if there is exactly one, else nothing."""
    titles = [text for level, text in _lines(markdown) if level == 1]
    return titles[0] if len(titles) == 1 else ""


def read_sections(markdown: str, title: str) -> tuple[Section, ...]:
    """Cut Markdown at its headings (# to ######, or underlined; none inside code fences), in reading order.

    Args:
        markdown: The text without its front matter.
        title: The document's title; a heading that only repeats it opens a section without heading.
    """
    lines = list(_lines(markdown))
    top = 1 if sum(level == 1 for level, _ in lines) > 1 else 2  # a lone level 1 is the title: no part of the path
    path: dict[int, str] = {}
    found: list[tuple[str, list[str]]] = [("", [])]
    for level, text in lines:
        if not level:
            found[-1][1].append(text)
            continue
        path = {above: name for above, name in path.items() if top <= above < level} | {level: text}
        whole = ": ".join(path.values())
        found.append(("" if text == title else whole if len(whole) <= _MAX_HEADING else text, []))
    return _without_empty([Section(heading, _tidy(body)) for heading, body in found])


def table(rows: Iterable[Sequence[str]]) -> str:
    """Write rows as a Markdown table whose first row is its header.

    A row of one cell where others have more says something of those below it: before the header it stands as a line
    of its own, later in the first column.
    """
    filled = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows if any(map(str.strip, row))]
    width = max(map(len, filled), default=0)
    captions = list(takewhile(lambda row: len(row) < min(width, 2), filled))
    padded = [row + [""] * (width - len(row)) for row in filled[len(captions) :]]
    lines = [f"| {' | '.join(row)} |" for row in padded]
    rule = ["|" + "---|" * width] if lines else []
    return "\n".join([*(f"{caption[0]}\n" for caption in captions), *lines[:1], *rule, *lines[1:]])


def is_table_rule(line: str) -> bool:
    """Return whether a line is the one under a table's header: |---|:--:|."""
    return "-" in line and "|" in line and _TABLE_RULE.issuperset(line)


def _lines(markdown: str) -> Iterator[tuple[int, str]]:
    """Yield each line as (heading level, heading) or (0, line as it stands)."""
    fenced, begins = False, True
    pairs = pairwise([*markdown.splitlines(), ""])
    for line, below in pairs:
        fence = _FENCE.match(line) is not None
        fenced ^= fence
        code = fence or fenced
        level, text = (0, "") if code else _heading(line)
        if begins and not (code or level):
            level, text = _underlined(line, below)
            if level:
                next(pairs, None)  # the underline is read with its heading
        begins = level > 0 or not line.strip()
        yield (level, text) if level else (0, line)


def _heading(line: str) -> tuple[int, str]:
    """Return the level and text of a heading with hashes; level 0 where the line is none."""
    heading = _HEADING.match(line)
    text = _heading_text(heading[2]) if heading else ""
    return (len(heading[1]), text) if heading and 0 < len(text) <= _MAX_HEADING else (0, "")


def _underlined(line: str, below: str) -> tuple[int, str]:
    """Return the level and text of a heading that the line below makes one; level 0 where it does not."""
    underline = _UNDERLINE.match(below)
    if not (underline and _PARAGRAPH.match(line)) or LIST_ITEM.match(line) or TABLE_ROW.match(line):
        return 0, ""
    text = _heading_text(line)
    return ("=-".index(underline[1][0]) + 1, text) if 0 < len(text) <= _MAX_HEADING else (0, "")


def _heading_text(text: str) -> str:
    """Take away the closing hashes and emphasis that Markdown allows around a heading."""
    bare = text.rstrip().rstrip("#")
    if bare.endswith((" ", "\t")):
        text = bare
    return " ".join(text.strip("*_ \t").split())


def _without_empty(sections: list[Section]) -> tuple[Section, ...]:
    """Drop sections without text, unless the heading would be lost: those below it carry it in their path."""
    following = [*sections, Section("", "")]
    return tuple(
        section
        for section, after in pairwise(following)
        if section.text or (section.heading and not after.heading.startswith(f"{section.heading}: "))
    )


def _tidy(lines: list[str]) -> str:
    """Join wrapped prose, take the padding out of tables, and leave blank lines only between blocks."""
    tidy: list[str] = []
    fenced, wrapped = False, False
    for line in lines:
        fence = _FENCE.match(line) is not None
        fenced ^= fence
        row = not fenced and TABLE_ROW.match(line) is not None
        item = not fenced and LIST_ITEM.match(line) is not None
        if item and tidy[-1:] == [""] and LIST_ITEM.match(tidy[-2]):
            tidy.pop()
        if wrapped and line.strip() and not (fence or fenced or row or item):
            tidy[-1] = f"{tidy[-1]} {line.strip()}"
        elif line.strip() or (tidy and tidy[-1]):
            tidy.append(_table_row(line) if row else line.rstrip())
        wrapped = len(line) >= _WRAPPED_LINE and not (fence or fenced or row or line.endswith(("  ", "\\")))
    return "\n".join(tidy).strip("\n")


def _table_row(line: str) -> str:
    """Return a row with single blanks; its rule as short as can be, since each hyphen is a token to the embedder."""
    row = " ".join(line.split())
    return "|".join("-" if "-" in cell else "" for cell in row.split("|")) if is_table_rule(row) else row
