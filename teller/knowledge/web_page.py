"""Web pages brought to Markdown: headings, lists and tables stay what they are."""

import re

from bs4 import BeautifulSoup, Tag

from teller.errors import DocumentRejectedError
from teller.knowledge.formats import Converted
from teller.knowledge.markdown import table as markdown_table

_MAX_NESTING = 200
_MOST_COLUMNS = 100
_MOST_SPANNED = 50  # columns or rows that one cell covers

# Private characters stand for line breaks while white space is collapsed; _GLUE swallows the breaks that follow it.
_LINE, _BLOCK, _GLUE, _INDENT = "\ue000", "\ue001", "\ue002", "\ue003"
_NOT_CONTENT = "script style noscript template nav footer svg iframe button head".split()
_HEADING_TAGS = "h1 h2 h3 h4 h5 h6".split()
_BLOCK_TAGS = (
    _HEADING_TAGS
    + (
        "p div section article main header aside blockquote figure figcaption pre address details summary dl hr form"
        " fieldset table tr td th"
    ).split()
)
_LINE_TAGS = "dt dd option".split()


def from_html(html: str) -> Converted:
    """Convert a page: headings, lists and tables stay what they are; navigation, footer and scripts go.

    langchain-community's HTML loaders return one string without headings, list marks or table rows, so Beautiful Soup
    is used directly.
    """
    prolog = re.compile(r"\A\s*<\?xml[^>]*>")  # Beautiful Soup would take XHTML for XML and warn
    soup = BeautifulSoup(re.sub(f"[{_LINE}-{_INDENT}]", "", prolog.sub("", html)), "lxml")
    title = soup.title.get_text() if soup.title else ""
    _refuse_deep_nesting(soup)
    for tag in soup(_NOT_CONTENT):
        tag.clear()
    _mark_tables(soup)
    _mark_lists(soup)
    _mark_blocks(soup)
    text = re.sub(r"\s+", " ", soup.get_text())
    text = re.sub(f"{_GLUE}[{_LINE}{_BLOCK} ]*", "", text)
    lines = [line.strip() for line in text.replace(_BLOCK, _LINE + _LINE).split(_LINE)]
    return Converted(" ".join(title.split()), "\n".join(lines).replace(_INDENT, "  "))


def _refuse_deep_nesting(soup: BeautifulSoup) -> None:
    """Every change to the tree costs its depth: a page of 100,000 open tags would hold a thread for minutes."""
    depth = {id(soup): 0}
    for tag in soup.find_all(True):
        depth[id(tag)] = depth[id(tag.parent)] + 1
    if max(depth.values()) > _MAX_NESTING:
        raise DocumentRejectedError("The page's tags are nested too deeply to be a text: save it as plain HTML.")


def _mark_tables(soup: BeautifulSoup) -> None:
    """Write data tables as Markdown rows; a table that only lays out the page is no table."""
    for table in reversed(soup("table")):
        if _lays_out(table):
            continue
        caption = table.caption.extract().get_text(" ") if table.caption else ""
        markdown = markdown_table(_grid(table)).replace("\n", _LINE)
        table.clear()
        table.append(f"{caption}{_BLOCK}{markdown}")


def _lays_out(table: Tag) -> bool:
    """Return whether a table holds what data does not: other tables, headings, or lists where no column is named.

    A heading inside th is a column's or a row's name, whatever size its author wished it to have.
    """
    if table.find("table") or (table.find(["ul", "ol"]) and not table.find("th")):
        return True
    return any(heading.find_parent(["th", "table"]) is table for heading in table(_HEADING_TAGS))


def _grid(table: Tag) -> list[list[str]]:
    """Return the cells' texts; a cell that covers several places stands in each, one that covers a row alone in it."""
    rows: list[list[str]] = []
    below: dict[int, tuple[str, int]] = {}  # by column: a cell that goes on in the rows to come, and in how many
    for row in table("tr"):
        texts: list[str] = []
        cells = iter(row(["th", "td"]))
        going_on, below = below, {}
        cell = next(cells, None)
        while (cell or len(texts) in going_on) and len(texts) < _MOST_COLUMNS:
            text, more, width = "", 0, 1
            if len(texts) in going_on:
                text, more = going_on[len(texts)]
            elif cell:
                text, more, width = cell.get_text(" "), _span(cell, "rowspan") - 1, _span(cell, "colspan")
                cell = next(cells, None)
            below |= {len(texts) + place: (text, more - 1) for place in range(width if more > 0 else 0)}
            texts += [text] * width
        rows.append(texts[:1] if len(row(["th", "td"])) == 1 and not going_on else texts)
    return rows


def _span(cell: Tag, name: str) -> int:
    given = str(cell.get(name, "1"))
    return min(max(int(given), 1), _MOST_SPANNED) if given.isascii() and given.isdigit() and len(given) < 6 else 1


def _mark_lists(soup: BeautifulSoup) -> None:
    for items in soup(["ul", "ol"]):
        above = len(items.find_parents(["ul", "ol"]))
        for number, item in enumerate(items.find_all("li", recursive=False), start=1):
            mark = f"{number}." if items.name == "ol" else "-"
            if item.get_text(strip=True):
                item.insert(0, f"{_LINE}{_INDENT * above}{mark} {_GLUE}")
        if not above:
            _surround(items, _BLOCK)


def _mark_blocks(soup: BeautifulSoup) -> None:
    for tag in soup("br"):
        tag.append(_LINE)
    for tag in soup("pre"):
        verbatim = tag.get_text().replace("\n", _LINE)
        tag.clear()
        tag.append(verbatim)
    for tag in soup(_HEADING_TAGS):
        if tag.get_text(strip=True):
            tag.insert(0, f"{'#' * int(tag.name[1])} {_GLUE}")
    for tag in soup(_BLOCK_TAGS):
        _surround(tag, _BLOCK)
    for tag in soup(_LINE_TAGS):
        _surround(tag, _LINE)


def _surround(tag: Tag, mark: str) -> None:
    """Put a mark before and after a tag's content: inside it, since a change among siblings costs their number."""
    tag.insert(0, mark)
    tag.append(mark)
