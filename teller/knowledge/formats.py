"""HTML, PDF and Word brought to Markdown. Each parser is imported when the first such document comes, never before."""

import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from teller.errors import DocumentRejectedError

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag
    from docx.table import Table
    from docx.text.paragraph import Paragraph

_MAX_UNPACKED_BYTES = 60_000_000
_MAX_NESTING = 200

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


@dataclass(frozen=True, slots=True)
class Converted:
    """A document as Markdown, and the title its file declares (often none, often a poor one)."""

    title: str
    markdown: str


def from_html(html: str) -> Converted:
    """Convert a page: headings, lists and tables stay what they are; navigation, footer and scripts go.

    langchain-community's HTML loaders return one string without headings, list marks or table rows, so Beautiful Soup
    is used directly.
    """
    from bs4 import BeautifulSoup

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


def from_pdf(data: bytes) -> Converted:
    """Take the text of a PDF, page after page, with langchain-community's parser (it reads from memory).

    Raises:
        DocumentRejectedError: it needs a password, is damaged, or is a scan without text.
    """
    from langchain_community.document_loaders.parsers.pdf import PyPDFParser
    from langchain_core.documents.base import Blob
    from pypdf.errors import DependencyError, FileNotDecryptedError

    try:
        (page,) = PyPDFParser(mode="single", pages_delimiter="\n\n").lazy_parse(Blob.from_data(data))
    except (FileNotDecryptedError, DependencyError) as error:
        raise DocumentRejectedError("The PDF is protected by a password: save it without one, then add it.") from error
    except Exception as error:  # a damaged PDF fails anywhere in the parser, with any exception
        raise DocumentRejectedError("The PDF is damaged and can't be read: export it again, then add it.") from error
    if not page.page_content.strip():
        raise DocumentRejectedError("The PDF holds pictures but no text, as scans do: run OCR on it, then add it.")
    return Converted(str(page.metadata.get("title", "")), page.page_content)


def from_docx(data: bytes) -> Converted:
    """Convert a Word document: headings, lists and tables stay what they are.

    langchain-community's Word loaders need packages beyond ours (docx2txt, unstructured) and lose the headings, so
    python-docx is used directly.

    Raises:
        DocumentRejectedError: it is damaged, or unpacks to more than a document can be.
    """
    _refuse_bomb(data)
    import docx
    from docx.table import Table

    try:
        document = docx.Document(BytesIO(data))
        blocks = [
            _table(_docx_rows(block)) if isinstance(block, Table) else _docx_paragraph(block)
            for block in document.iter_inner_content()
        ]
        title = document.core_properties.title
    except Exception as error:  # a damaged archive fails anywhere in the parser, with any exception
        raise DocumentRejectedError("The Word document is damaged: save it again, then add it.") from error
    return Converted(title, "\n\n".join(block for block in blocks if block.strip()))


def _refuse_deep_nesting(soup: "BeautifulSoup") -> None:
    """Every change to the tree costs its depth: a page of 100,000 open tags would hold a thread for minutes."""
    depth = {id(soup): 0}
    for tag in soup.find_all(True):
        depth[id(tag)] = depth[id(tag.parent)] + 1
    if max(depth.values()) > _MAX_NESTING:
        raise DocumentRejectedError("The page's tags are nested too deeply to be a text: save it as plain HTML.")


def _mark_tables(soup: "BeautifulSoup") -> None:
    """Write data tables as Markdown rows; a table that lays out a page (headings, lists, tables in it) is no table."""
    for table in reversed(soup("table")):
        if table.find([*_HEADING_TAGS, "table", "ul", "ol"]):
            continue
        caption = table.caption.extract().get_text(" ") if table.caption else ""
        rows = [[cell.get_text(" ") for cell in row(["th", "td"])] for row in table("tr")]
        markdown = _table(rows).replace("\n", _LINE)
        table.clear()
        table.append(f"{caption}{_BLOCK}{markdown}")


def _mark_lists(soup: "BeautifulSoup") -> None:
    for items in soup(["ul", "ol"]):
        above = len(items.find_parents(["ul", "ol"]))
        for number, item in enumerate(items.find_all("li", recursive=False), start=1):
            mark = f"{number}." if items.name == "ol" else "-"
            if item.get_text(strip=True):
                item.insert(0, f"{_LINE}{_INDENT * above}{mark} {_GLUE}")
        if not above:
            _surround(items, _BLOCK)


def _mark_blocks(soup: "BeautifulSoup") -> None:
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


def _surround(tag: "Tag", mark: str) -> None:
    """Put a mark before and after a tag's content: inside it, since a change among siblings costs their number."""
    tag.insert(0, mark)
    tag.append(mark)


def _table(rows: Iterable[list[str]]) -> str:
    """Write rows as a Markdown table; the first one is its header."""
    filled = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows if any(row)]
    lines = [f"| {' | '.join(row)} |" for row in filled]
    rule = ["|" + "---|" * len(row) for row in filled[:1]]
    return "\n".join(lines[:1] + rule + lines[1:])


def _docx_rows(table: "Table") -> list[list[str]]:
    """Return the cells' texts; a merged cell, which python-docx repeats, counts once."""
    return [[cell.text for cell in dict.fromkeys(row.cells)] for row in table.rows]


def _docx_paragraph(paragraph: "Paragraph") -> str:
    style = (paragraph.style and paragraph.style.name) or ""
    text = paragraph.text.strip()
    if not text:
        return ""
    if style == "Title":
        return f"# {text}"
    if re.fullmatch(r"Heading [1-9]", style):
        return f"{'#' * min(int(style[-1]) + 1, 6)} {text}"  # one below the title, which is level 1
    numbered = paragraph._p.pPr is not None and paragraph._p.pPr.numPr is not None
    return f"- {text}" if numbered or style.startswith("List") else text


def _refuse_bomb(data: bytes) -> None:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise DocumentRejectedError("The Word document is damaged: save it again, then add it.") from error
    if size > _MAX_UNPACKED_BYTES:
        raise DocumentRejectedError("The Word document unpacks to more than 60 MB: split it, then add its parts.")
