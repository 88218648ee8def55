"""Small real files of every accepted type, made on the spot."""

import io
import zipfile

import docx
from pypdf import PdfReader, PdfWriter

_PICTURE = "q 612 0 0 792 0 0 cm /Im1 Do Q "
_IMAGE = "/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8"


def pdf(*pages: list[str], title: str = "", pictures: tuple[int, ...] = ()) -> bytes:
    """Return a PDF with the lines of each page as text, and an image on the pages of these numbers.

    A page without lines is blank, one with an image alone a scan.
    """
    writer = PdfWriter()
    for number, lines in enumerate(pages, start=1):
        content = "BT /F1 12 Tf 14 TL 72 720 Td " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
        picture = _PICTURE if number in pictures else ""
        writer.append(PdfReader(io.BytesIO(_one_page(picture + (content if lines else "")))))
    if title:
        writer.add_metadata({"/Title": title})
    return _saved(writer)


def laid_out(*pages: list[tuple[int, int, int, str]], bookmarks: tuple[str, ...] = ()) -> bytes:
    """Return a PDF with texts at places of its pages: (x, y from below, size of letters, text)."""
    writer = PdfWriter()
    for texts in pages:
        content = " ".join(f"BT /F1 {size} Tf {x} {y} Td ({text}) Tj ET" for x, y, size, text in texts)
        writer.append(PdfReader(io.BytesIO(_one_page(content))))
    for title in bookmarks:
        writer.add_outline_item(title=title, page_number=0)
    return _saved(writer)


def mapped(to: tuple[str, ...]) -> bytes:
    """Return a PDF whose letters A, B, ... stand for these units of UTF-16, as its font's ToUnicode map says."""
    codes = [f"{ord('A') + place:02x}" for place in range(len(to))]
    pairs = "\n".join(f"<{code}> <{unit}>" for code, unit in zip(codes, to, strict=True))
    units = f"1 begincodespacerange\n<00> <ff>\nendcodespacerange\n{len(to)} beginbfchar\n{pairs}\nendbfchar"
    content = f"BT /F1 12 Tf 72 720 Td <{''.join(codes)}> Tj ET"
    return pdf_of(
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        " /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 5 0 R >> >> >> >>",
        _stream(content),
        _stream(units),
    )


def blank_pages(count: int) -> bytes:
    """Return a PDF of pages with nothing on them."""
    pages = " ".join(f"{number} 0 R" for number in range(3, count + 3))
    page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>"
    return pdf_of(
        "<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{pages}] /Count {count} >>", *[page] * count
    )


def word_of(xml: str) -> bytes:
    """Return a Word document whose body is this XML."""
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    return word_with({"word/document.xml": f'<w:document xmlns:w="{space}"><w:body>{xml}</w:body></w:document>'})


def word_with(parts: dict[str, str | bytes]) -> bytes:
    """Return a Word document with these parts in place of its own."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(word(("Normal", "Text.")))) as whole, zipfile.ZipFile(made, "w", 8) as changed:
        for name in whole.namelist():
            changed.writestr(name, parts.get(name, whole.read(name)))
    return made.getvalue()


def archive_of(part: str) -> bytes:
    """Return a zip archive with this part alone, as Excel, PowerPoint and others write theirs."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(part, "text")
    return made.getvalue()


def protected(data: bytes) -> bytes:
    """Return a PDF that opens with a password only."""
    writer = PdfWriter(clone_from=io.BytesIO(data))
    writer.encrypt("secret", algorithm="RC4-128")
    return _saved(writer)


def word(*blocks: tuple[str, str] | list[list[str]], title: str = "") -> bytes:
    """Return a Word document of (style, text) paragraphs and tables (rows of cells)."""
    document = docx.Document()
    document.core_properties.title = title
    for block in blocks:
        if isinstance(block, tuple):
            document.add_paragraph(block[1], style=block[0])
            continue
        table = document.add_table(rows=len(block), cols=len(block[0]))
        for row, cells in zip(table.rows, block, strict=True):
            for cell, text in zip(row.cells, cells, strict=True):
                cell.text = text
    saved = io.BytesIO()
    document.save(saved)
    return saved.getvalue()


def _saved(writer: PdfWriter) -> bytes:
    saved = io.BytesIO()
    writer.write(saved)
    return saved.getvalue()


def _one_page(content: str) -> bytes:
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        " /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
        " /XObject << /Im1 5 0 R >> >> >>",
        _stream(content),
        _stream("\x7f", _IMAGE),
    ]
    return pdf_of(*objects)


def _stream(content: str, entries: str = "") -> str:
    return f"<< {entries} /Length {len(content)} >>\nstream\n{content}\nendstream"


def pdf_of(*objects: str | bytes) -> bytes:
    """Return a PDF of these objects, numbered from 1; the first is its catalogue."""
    body, places = bytearray(b"%PDF-1.4\n"), []
    for number, given in enumerate(objects, start=1):
        places.append(len(body))
        content = given.encode() if isinstance(given, str) else given
        body += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    trailer = f"trailer << /Size {size} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF"
    return bytes(body) + f"xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode()
