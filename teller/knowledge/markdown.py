"""Markdown, the one form in which every document is read: its front matter, and its sections by heading."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import yaml

from teller.errors import DocumentRejectedError

MAX_FRONT_MATTER = 5_000
MAX_HEADING = 150

# A shorter line was ended on purpose (an address, opening hours); a longer one was wrapped by an editor or a PDF.
WRAPPED_LINE = 50

FENCE = re.compile(r"\s*(```|~~~)")
HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(\S.*)")
LIST_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+\S")
TABLE_ROW = re.compile(r"\s*\||.*\S \| \S")
TABLE_RULE = frozenset("|:- \t")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it, up to the next heading.

    `heading` names the headings above it too ("Fees: Gold card") and is empty for a lead without one. In `text` blocks
    are parted by a blank line, and a line break is one that the author meant: wrapped prose is made whole.
    """

    heading: str
    text: str


def split_front_matter(text: str) -> tuple[dict[str, object], str]:
    """Return the YAML front matter (empty where there is none) and the Markdown after it.

    Raises:
        DocumentRejectedError: the front matter is no valid YAML.
    """
    end = text.find("\n---", 3, MAX_FRONT_MATTER) if text.startswith("---\n") else -1
    if end < 0:
        return {}, text
    try:
        fields = yaml.safe_load(text[4 : end + 1])
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DocumentRejectedError("The front matter between the --- lines is not valid YAML: mend it.") from error
    if not isinstance(fields, dict):
        return {}, text  # two thematic breaks with prose between them
    return {str(name): value for name, value in fields.items()}, text[end + 4 :].lstrip("-")


def lone_title(markdown: str) -> str:
    """Return the heading of level 1 if there is exactly one, else nothing."""
    titles = [text for level, text in _lines(markdown) if level == 1]
    return titles[0] if len(titles) == 1 else ""


def read_sections(markdown: str, title: str) -> tuple[Section, ...]:
    """Cut Markdown at its headings (# to ######; none inside code fences), in reading order.

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
        found.append(("" if text == title else whole if len(whole) <= MAX_HEADING else text, []))
    return _without_empty([Section(heading, _tidy(body)) for heading, body in found])


def is_table_rule(line: str) -> bool:
    """Return whether a line is the one under a table's header: |---|:--:|."""
    return "-" in line and "|" in line and TABLE_RULE.issuperset(line)


def _lines(markdown: str) -> Iterator[tuple[int, str]]:
    """Yield each line as (heading level, heading) or (0, line as it stands)."""
    fenced = False
    for line in markdown.splitlines():
        fenced ^= FENCE.match(line) is not None
        heading = None if fenced else HEADING.match(line)
        text = _heading_text(heading[2]) if heading else ""
        yield (len(heading[1]), text) if heading and 0 < len(text) <= MAX_HEADING else (0, line)


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
    """Join wrapped prose, take the padding out of tables, and bring blank lines down to one."""
    tidy: list[str] = []
    fenced, wrapped = False, False
    for line in lines:
        fence = FENCE.match(line) is not None
        fenced ^= fence
        row = not fenced and TABLE_ROW.match(line) is not None
        verbatim = fence or fenced or row
        if wrapped and line.strip() and not verbatim and not LIST_ITEM.match(line):
            tidy[-1] = f"{tidy[-1]} {line.strip()}"
        elif line.strip() or (tidy and tidy[-1]):
            tidy.append(_table_row(line) if row else line.rstrip())
        hard_break = line.endswith(("  ", "\\"))
        wrapped = len(line) >= WRAPPED_LINE and not verbatim and not hard_break
    return "\n".join(tidy).strip("\n")


def _table_row(line: str) -> str:
    """Return a row with single blanks; its rule as short as can be, since each hyphen is a token to the embedder."""
    row = " ".join(line.split())
    return "|".join("-" if "-" in cell else "" for cell in row.split("|")) if is_table_rule(row) else row
