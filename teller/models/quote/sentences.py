"""A passage split into what can be quoted: sentences, list items, whole lists and table rows.

Nothing is reworded. Markup is taken off, lines are joined, and a table row is told with the names of its columns.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from teller.knowledge.index import Passage
from teller.models.quote.blocks import Items, Paragraph, Table, blocks, plain
from teller.models.quote.table_rows import told

_LONGEST_LIST_WORDS = 90  # about half a minute aloud
_MOST_BEFORE = 2  # an answer is at most three sentences
_VALUE = re.compile(r"^[$\u00a3\u20ac]?\s?\d|^(?:none|free|yes|no)$", re.IGNORECASE)
_NO_VALUE = frozenset({"-", "\u2013", "\u2014"})
_STANDS_ALONE = re.compile(r"[.!?]$|:\s")
_ABBREVIATION = re.compile(
    r"(?:\b(?i:e\.g|i\.e|vs|approx|incl|no|nos|st|dr|mr|mrs|ms|inc|ltd|u\.s|u\.k|min|max|dept|ave|p\.o)|(?<![\w.])[A-Z])\.$"
)
_CLOCK = re.compile(r"\b[ap]\.m\.$", re.IGNORECASE)
_AFTER_CLOCK = re.compile(
    r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|[A-Z]{2,3}\b|Eastern|Central|Pacific|Mountain|\d"
)
_NEAR = 20  # characters around a full stop that tell whether it ends a sentence
_BORDER = re.compile(r"[.!?][\"\u201d\u2019)\]]*\s+(?=[\"\u201c\u2018(\[]?[A-Z0-9$])")
_LEANS = re.compile(  # means little without the sentence before it
    r"(?:This|That|These|Those|They|It|Its|Their|He|She|His|Her|Both|However|But|And|So|Then|Otherwise|Instead|Also"
    r"|Therefore|Either|Neither|Such|Here|The same|After that|Before that|Until then|In that case|In addition|If so"
    r"|If not|For example|Each further|During (?:this|that|these|those)|(?:We|You) (?:\w+ ){1,2}(?:it|them|so))\b"
    r"|.{0,80}\b(?:there|it|them|that)[.!]$"
)


@dataclass(frozen=True, slots=True)
class Quotable:
    """One thing that can be said as it stands.

    `parts` are the document's own sentences, in order: one, or two where the second leans on the first; a list is one
    part. `context` is the headings, question or lead-in it stands under, `place` its position in the passage. `cells`
    holds a table row as (column, value) pairs, the first being the row's name. `opens` says that its section
    begins with it.
    """

    parts: tuple[str, ...]
    context: str
    kind: Literal["sentence", "item", "list", "row"]
    place: int
    cells: tuple[tuple[str, str], ...] = ()
    opens: bool = False

    @property
    def text(self) -> str:
        """What is said."""
        return " ".join(self.parts)

    @property
    def in_context(self) -> str:
        """The text with what it stands under, which says what the sentence alone may leave out."""
        return f"{self.context}: {self.text}" if self.context else self.text

    @property
    def headings(self) -> str:
        """What it stands under, or the text itself where it stands under nothing."""
        return self.context or self.text


def quotables(passage: Passage) -> list[Quotable]:
    """Return everything in a passage that can be quoted, in reading order."""
    found: list[Quotable] = []
    opened: set[str] = set()
    heading, asked, before = "", "", Paragraph("")
    for block in blocks(passage.text):
        start = len(found)
        if isinstance(block, str):
            heading, asked, before = block, "", Paragraph("")
            continue
        if isinstance(block, Paragraph) and _is_question(block.text):
            asked, before = block.text, block
            continue
        context = _joined(passage.heading, heading, "" if before.text == asked and isinstance(block, Items) else asked)
        if isinstance(block, Paragraph):
            last = found[-1] if found and found[-1].kind == "sentence" and found[-1].context == context else None
            found += _of_paragraph(block.text, context, "sentence", last)
            before = block
        elif isinstance(block, Items):
            found += _of_list(block, context, _lead(block, before))
            before = Paragraph("")
        else:
            found += _of_table(block, context)
        if heading not in opened and len(found) > start:
            opened.add(heading)
            found[start] = replace(found[start], opens=True)
    return [replace(quotable, place=place) for place, quotable in enumerate(found)]


def split(text: str) -> list[str]:
    """Return the sentences of a paragraph; abbreviations and clock times do not end one."""
    sentences, start = [], 0
    for border in _BORDER.finditer(text):
        end = border.end()
        before, after = text[max(start, end - _NEAR) : end].rstrip(), text[end : end + _NEAR]
        if _ABBREVIATION.search(before) or (_CLOCK.search(before) and _AFTER_CLOCK.match(after)):
            continue
        sentences.append(text[start:end].rstrip())
        start = end
    return [*sentences, text[start:].strip()] if text[start:].strip() else sentences


def _of_paragraph(
    text: str, context: str, kind: Literal["sentence", "item"], before: Quotable | None = None
) -> Iterator[Quotable]:
    """Yield a paragraph's sentences, one that leans ("This…", "However…") together with the one `before` it.

    A question is context for what follows it; a lead-in is said with its list.
    """
    asked = ""
    for sentence in split(text):
        if sentence.endswith("?"):
            asked = sentence
        elif not sentence.endswith(":"):
            leans = before.parts[-_MOST_BEFORE:] if before and _LEANS.match(sentence) else ()
            before = Quotable((*leans, sentence), _joined(context, asked), kind, 0)
            yield before


def _is_question(text: str) -> bool:
    """Return whether a paragraph is nothing but a question, which what follows it answers, as under a heading."""
    return text.endswith("?") and len(split(text)) == 1


def _lead(block: Items, before: Paragraph) -> str:
    """Return what leads in a list: the sentence with a colon before it, or what steps are the steps of."""
    sentences = split(before.text)
    if sentences and sentences[-1].endswith(":"):
        return sentences[-1]
    leads = sentences and (block.ordered or len(sentences) == 1) and not _LEANS.match(sentences[0])
    return sentences[0] if leads else ""


def _of_list(block: Items, context: str, lead: str) -> Iterator[Quotable]:
    """Yield the list as a whole with its lead-in, and those of its items that can stand alone."""
    marks = [f"{i}." if block.ordered else "-" for i in range(1, len(block.items) + 1)]
    items = "\n".join(f"{mark} {item.full}" for mark, item in zip(marks, block.items, strict=True))
    if len(block.items) > 1 and len(items.split()) <= _LONGEST_LIST_WORDS:
        yield Quotable((f"{lead}\n{items}".lstrip(),), context, "list", 0)
    for item in block.items:
        if lead.endswith(":") and not _STANDS_ALONE.search(item.text):
            yield Quotable((f"{lead}\n- {item.full}",), context, "item", 0)
            continue
        for single in _of_paragraph(item.text, _joined(context, lead), "item"):
            said = (f"{item.parent}\n- {single.text}",) if item.parent else single.parts
            yield replace(single, parts=said)


def _of_table(table: Table, context: str) -> Iterator[Quotable]:
    named_by_two = _is_named_by_two(table)
    for row in table.rows:
        cells = tuple((c, v) for c, v in zip(table.columns, row, strict=False) if v and v not in _NO_VALUE)
        if named_by_two and len(cells) > 2:
            (group_column, group), (column, name), *rest = cells
            cells = ((f"{group_column}, {column}".strip(", "), f"{group}, {name}"), *rest)
        if len(cells) > 1:
            yield Quotable((told(cells),), context, "row", 0, cells)


def _is_named_by_two(table: Table) -> bool:
    """Return whether a row's name is its first two cells: the first one groups rows, the second tells them apart."""
    rows = [row for row in table.rows if len(row) > 2]
    groups, names = {row[0] for row in rows}, {row[:2] for row in rows}
    return len(groups) < len(rows) == len(names) and not any(_VALUE.search(row[1]) for row in rows)


def _joined(*parts: str) -> str:
    return ". ".join(plain(part).rstrip(".:") for part in parts if part)
