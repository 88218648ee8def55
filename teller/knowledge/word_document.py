"""Word documents brought to Markdown: headings, lists and tables stay what they are."""

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING

from docx.package import Package
from docx.table import Table
from docx.text.paragraph import Paragraph

from teller.errors import DocumentRejectedError, DocumentTooLargeError, UnsupportedDocumentError
from teller.knowledge.formats import ACCEPTED, Converted
from teller.knowledge.markdown import table

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import _Cell, _Row

_MAX_UNPACKED_BYTES = 60_000_000
_DAMAGED = "The Word document is damaged: save it again, then add it."
_NOT_PLAIN = "This is a Word file with macros or a template: save it as a plain .docx, then add it."

# What wraps text without changing it, and would hide it: content controls, tracked insertions, smart tags.
_WRAPPERS = ("sdt", "sdtContent", "ins", "moveTo", "smartTag", "customXml")
_NO_TEXT = ("sdtPr", "sdtEndPr")


def from_docx(data: bytes) -> Converted:
    """Convert a Word document.

    langchain-community's Word loaders need packages beyond ours (docx2txt, unstructured) and lose the headings, so
    python-docx is used directly.

    Raises:
        DocumentRejectedError: it is damaged, has macros, is another kind of archive, or unpacks to more than a document
            can be.
    """
    _refuse_others_and_bombs(data)
    try:
        main = Package.open(BytesIO(data)).main_document_part
        if re.search("macro|template", main.content_type, re.IGNORECASE):
            raise DocumentRejectedError(_NOT_PLAIN)
        document = main.document
        _unwrap(document)
        blocks = [
            table(_rows(block)) if isinstance(block, Table) else _paragraph(block)
            for block in document.iter_inner_content()
        ]
        title = document.core_properties.title
    except (DocumentRejectedError, MemoryError):
        raise
    except Exception as error:  # a damaged archive fails anywhere in the parser, with any exception
        raise DocumentRejectedError(_DAMAGED) from error
    return Converted(title, "\n\n".join(block for block in blocks if block.strip()))


def _refuse_others_and_bombs(data: bytes) -> None:
    """Look at the names and sizes that the archive declares; what lies about them meets the converter's limits."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OverflowError) as error:
        raise DocumentRejectedError(_DAMAGED) from error
    if not any(member.filename.startswith("word/") for member in members):  # the main part may have any name in it
        raise UnsupportedDocumentError(f"Files of this type are not read: send {ACCEPTED}.")
    if sum(member.file_size for member in members) > _MAX_UNPACKED_BYTES:
        raise DocumentTooLargeError("The Word document unpacks to more than 60 MB: split it, then add its parts.")


def _unwrap(document: "Document") -> None:
    """Put what stands in content controls and tracked insertions in their place: python-docx passes over both."""
    body = document.element.body
    space = body.tag.partition("}")[0] + "}"
    for name in _NO_TEXT:
        for element in list(body.iter(space + name)):
            element.getparent().remove(element)
    for name in _WRAPPERS:
        for element in list(body.iter(space + name)):
            for child in list(element):
                element.addprevious(child)
            element.getparent().remove(element)


def _rows(of: Table) -> list[list[str]]:
    """Return the cells' texts as a grid; a merged cell stands in each place that it covers, but alone in its row."""
    return [_row(row) for row in of.rows]


def _row(row: "_Row") -> list[str]:
    if len({id(cell._tc) for cell in row.cells}) == 1:
        return [_cell(row.cells[0])]
    return [""] * row.grid_cols_before + [_cell(cell) for cell in row.cells] + [""] * row.grid_cols_after


def _cell(cell: "_Cell") -> str:
    """Return a cell's text, that of tables inside it too."""
    return " ".join(_inner_texts(cell))


def _inner_texts(cell: "_Cell") -> Iterator[str]:
    for block in cell.iter_inner_content():
        if isinstance(block, Table):
            yield from (" ".join(row) for row in _rows(block))
        else:
            yield block.text


def _paragraph(paragraph: Paragraph) -> str:
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
