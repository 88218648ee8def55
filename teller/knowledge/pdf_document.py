"""PDFs brought to Markdown: their headings are found by bookmarks or by size, their tables by how they are laid out."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pypdf import PageObject, PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError
from pypdf.generic import DictionaryObject, NullObject

from teller.errors import DocumentRejectedError, DocumentTooLargeError
from teller.knowledge.formats import Converted
from teller.knowledge.pdf_tables import with_tables

_MAX_PAGES = 2_000
_BROCHURE = 4  # pages from which on the first and the last may be mere pictures
_MAX_HEADING = 150
_LARGER = 1.15  # so much larger than the text is a heading
_MOST_HEADINGS = 0.3  # of all letters: beyond that, size says something else
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_GAP = re.compile(r"[ \t]{2,}")


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    size: float


def from_pdf(data: bytes) -> Converted:
    """Take the text of a PDF, page after page.

    langchain-community's parser returns the text alone; headings and tables need the sizes and places that pypdf,
    which it uses too, tells.

    Raises:
        DocumentRejectedError: it needs a password, is damaged, has scans without text, or has too many pages.
    """
    try:
        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise FileNotDecryptedError("a password is needed")
        if len(reader.pages) > _MAX_PAGES:
            raise DocumentTooLargeError(f"The PDF has more than {_MAX_PAGES:,} pages: split it, then add its parts.")
        pages = [(_lines(page), _layout(page)) for page in reader.pages]
        scans = _scans(reader.pages, [bool(lines) for lines, _ in pages])
        title, levels = _declared_title(reader), _levels(reader, [line for lines, _ in pages for line in lines])
    except (FileNotDecryptedError, DependencyError) as error:
        raise DocumentRejectedError("The PDF is protected by a password: save it without one, then add it.") from error
    except (DocumentRejectedError, MemoryError):
        raise
    except Exception as error:  # a damaged PDF fails anywhere in the parser, with any exception
        raise DocumentRejectedError("The PDF is damaged and can't be read: export it again, then add it.") from error
    written = [(lines, layout) for lines, layout in pages if lines]
    if len(written) * 2 < len(pages) or not written:
        scans = len(pages) - len(written)  # whatever draws them: a document of so many blank pages is none
    if scans or not pages:
        raise DocumentRejectedError(_scanned(scans, len(pages)))
    texts = [with_tables(_marked(lines, levels), layout) for lines, layout in written]
    return Converted(title, _joined(texts))


def _scans(pages: Sequence[PageObject], written: Sequence[bool]) -> int:
    """Return how many pages are a picture without text; the covers of a brochure are none."""
    covers = {0, len(pages) - 1} if len(pages) >= _BROCHURE else set()
    empty = (page for i, page in enumerate(pages) if not written[i] and i not in covers)
    return sum(map(_draws_picture, empty))


def _scanned(scans: int, pages: int) -> str:
    some = (
        "The PDF holds pictures but no text" if scans == pages else f"{scans} of the PDF's {pages} pages have no text"
    )
    return f"{some}, as scans do: run OCR on it, then add it."


def _draws_picture(page: PageObject) -> bool:
    """Return whether an image is drawn on a page; what its resources hold alone may be for other pages."""
    objects = _part(_part(page, "/Resources"), "/XObject")
    pictures = [name for name in objects if _part(objects, name).get("/Subtype") == "/Image"]
    content = page.get_contents() if pictures else None
    operations = [] if content is None else content.operations
    return any(operator == b"Do" and name in pictures for operands, operator in operations for name in operands)


def _part(of: DictionaryObject, name: str) -> DictionaryObject:
    """Return the dictionary of this name; an empty one where there is none."""
    part = of.get(name, NullObject()).get_object()
    return part if isinstance(part, DictionaryObject) else DictionaryObject()


def _lines(page: PageObject) -> list[_Line]:
    """Return a page's lines that are not empty, in reading order, each with the size of its largest letters."""
    found: list[_Line] = []
    text, size = "", 0.0

    def visit(part: str, page_matrix: list[float], text_matrix: list[float], _: Any, font_size: float) -> None:
        nonlocal text, size
        for place, piece in enumerate(part.split("\n")):
            if place:
                found.append(_Line(text, size))
                text, size = "", 0.0
            if piece.strip():
                size = max(size, round(font_size * _scale(page_matrix) * _scale(text_matrix), 1))
            text += piece

    page.extract_text(visitor_text=visit)
    found.append(_Line(text, size))
    tidy = (_Line(_GAP.sub(" ", line.text.translate(_LIGATURES)).strip(), line.size) for line in found)
    return [line for line in tidy if line.text]


def _scale(matrix: list[float]) -> float:
    """Return by how much a transformation enlarges: the root of its determinant."""
    return float(abs(matrix[0] * matrix[3] - matrix[1] * matrix[2]) ** 0.5)


def _layout(page: PageObject) -> str:
    """Return the page as it is laid out; nothing where that mode, still an experiment, fails on it."""
    try:
        return page.extract_text(extraction_mode="layout").translate(_LIGATURES)
    except MemoryError:
        raise
    except Exception:  # the text itself is at hand
        return ""


def _declared_title(reader: PdfReader) -> str:
    title = reader.metadata.title if reader.metadata else None
    return title if isinstance(title, str) else ""


def _levels(reader: PdfReader, lines: list[_Line]) -> dict[_Line | str, int]:
    """Return the heading level of lines: by their text where the bookmarks name at least two, else by size."""
    marked = _bookmarks(reader.outline)
    named: dict[_Line | str, int] = {line.text: marked[line.text] for line in lines if line.text in marked}
    if len(named) > 1:
        return named
    letters = Counter[float]()
    for line in lines:
        letters[line.size] += len(line.text)
    body = letters.most_common(1)[0][0] if letters else 0.0
    large = [line for line in lines if line.size > body * _LARGER and _may_be_heading(line.text)]
    if sum(len(line.text) for line in large) > _MOST_HEADINGS * letters.total():
        return {}
    ranks = {size: rank for rank, size in enumerate(sorted({line.size for line in large}, reverse=True), start=1)}
    return {line: min(ranks[line.size], 6) for line in large}


def _may_be_heading(text: str) -> bool:
    return len(text) <= _MAX_HEADING and any(char.isalpha() for char in text)


def _bookmarks(outline: list[Any], level: int = 1) -> dict[str, int]:
    """Return the titles of the bookmarks, each with how deep it is."""
    found: dict[str, int] = {}
    for mark in outline:
        if isinstance(mark, list):
            found = _bookmarks(mark, level + 1) | found
        elif title := " ".join(str(mark.title or "").split()):
            found.setdefault(title, min(level, 6))
    return found


def _marked(lines: list[_Line], levels: dict[_Line | str, int]) -> str:
    """Return a page's lines with their headings marked; one that goes over two lines is made whole."""
    text: list[str] = []
    before = 0
    for line in lines:
        level = levels.get(line) or levels.get(line.text) or 0
        if level and level == before and line in levels:
            text[-1] += f" {line.text}"
        else:
            text.append(f"\n{'#' * level} {line.text}\n" if level else line.text)
        before = level
        if level:
            text[-1] = text[-1].rstrip("\n")
    return "\n".join(text)


def _joined(pages: list[str]) -> str:
    """Return the pages as one text; a sentence that goes on over the page goes on."""
    whole = pages[0] if pages else ""
    for page in pages[1:]:
        goes_on = whole[-1:].isalnum() or whole[-1:] in (",", "-")
        whole += f"\n{page}" if goes_on and page[:1].islower() else f"\n\n{page}"
    return whole
