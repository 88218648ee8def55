"""A file's bytes become a document: what type it is, what it says of itself, and its text by section.

Whatever cannot be read whole is refused with a message that tells the sender what to do; nothing is half taken in.
"""

import codecs
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath

from teller.errors import DocumentRejectedError, DocumentTooLargeError, UnsupportedDocumentError
from teller.knowledge.formats import ACCEPTED, Converted, Kind, convert
from teller.knowledge.markdown import Section, lone_title, read_sections, split_front_matter, whole_letters

MAX_FILE_BYTES = 10_000_000
_MEGABYTES = MAX_FILE_BYTES // 1_000_000
_MAX_TITLE = 120
_MAX_FILENAME = 150
_MAX_COLLECTION = 60
_TEXT_SUFFIXES = {".md", ".markdown", ".txt"}
_HTML_SUFFIXES = {".html", ".htm"}
Convert = Callable[[Kind, bytes], Converted]
SUFFIXES = _TEXT_SUFFIXES | _HTML_SUFFIXES | {".pdf", ".docx"}

_HTML_START = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!doctype html|<html)", re.IGNORECASE)
_BINARY = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")  # no text holds these, and every picture does
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_READ_AS_WINDOWS_1252 = {"iso8859-1", "ascii"}  # as the WHATWG's standard has it: who declares them writes “ and € too
_POOR_TITLE = re.compile(r"microsoft word|untitled|document\d*$|.*\.\w{2,4}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LoadedDocument:
    """A document as it was read. `collection` is None where the document itself names none."""

    filename: str
    title: str
    collection: str | None
    effective: date | None
    expires: date | None
    sections: tuple[Section, ...]


def load(filename: str, data: bytes, convert: Convert = convert) -> LoadedDocument:
    """Read a document of any accepted type; what it is tells its content more than its name.

    Args:
        filename: The name it came with; a path in it is taken away.
        data: The file, whole.
        convert: What reads HTML, PDF and Word: in this process, or a `Converter` for files that may be hostile.

    Raises:
        DocumentRejectedError: wrong type, too large, damaged, protected, or without text.
    """
    filename = safe_filename(filename)
    converted = _read(filename, data, convert)
    if len(converted.markdown) > MAX_FILE_BYTES:
        raise DocumentTooLargeError(f"The document's text is larger than {_MEGABYTES} MB: split it.")
    text = whole_letters(converted.markdown).replace("\r\n", "\n").replace("\r", "\n")
    fields, markdown = split_front_matter(text)
    title = _title(fields.get("title"), lone_title(markdown), whole_letters(converted.title), filename)
    effective, expires = _date(fields, "effective"), _date(fields, "expires")
    if effective and expires and expires < effective:
        raise DocumentRejectedError(f"The document expires ({expires}) before it takes effect ({effective}).")
    sections = read_sections(markdown, title)
    if not any(section.text for section in sections):
        raise DocumentRejectedError("The document has no text: nothing was added.")
    return LoadedDocument(filename, title, collection_name(fields.get("collection")), effective, expires, sections)


def safe_filename(name: str) -> str:
    """Return the last part of a name, without control characters and of bounded length.

    Raises:
        DocumentRejectedError: nothing is left of it.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    path = PurePosixPath("".join(char for char in last if char.isprintable()).strip(" ."))
    if not path.name:
        raise DocumentRejectedError("The file has no name: give it one that ends in .md, .txt, .html, .pdf or .docx.")
    return path.stem[: _MAX_FILENAME - len(path.suffix[:10])] + path.suffix[:10]


def collection_name(value: object) -> str | None:
    """Return a collection's name, or None for none.

    Raises:
        DocumentRejectedError: it is no name.
    """
    if not value:
        return None
    if not isinstance(value, str) or not value.strip() or len(value) > _MAX_COLLECTION:
        raise DocumentRejectedError(f"A collection is a name of 1 to {_MAX_COLLECTION} characters, such as loans.")
    return value.strip()


def _read(filename: str, data: bytes, convert: Convert) -> Converted:
    if len(data) > MAX_FILE_BYTES:
        raise DocumentTooLargeError(f"The file is larger than {_MEGABYTES} MB: split it.")
    if not data.strip():
        raise DocumentRejectedError("The file is empty.")
    if b"%PDF-" in data[:1024]:
        return convert("pdf", data)
    if data.startswith(b"PK\x03\x04"):
        return convert("docx", data)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise DocumentRejectedError("This is an old or password-protected Office file: save it as a plain .docx.")
    suffix = PurePosixPath(filename).suffix.lower()
    if suffix in {".pdf", ".docx"}:
        raise DocumentRejectedError(f"The file is named {suffix} but is something else, or damaged: export it again.")
    if suffix not in SUFFIXES:
        raise UnsupportedDocumentError(f"Files of this type are not read: send {ACCEPTED}.")
    text = _decoded(data)
    is_html = _HTML_START.match(text) is not None or (suffix in _HTML_SUFFIXES and "<" in text)
    return convert("html", text.encode()) if is_html else Converted("", text)


def _decoded(data: bytes) -> str:
    """Decode UTF-8, or what an HTML page declares; never by guess, which would index mojibake."""
    if not data.startswith(_WIDE_MARKS) and _BINARY.search(data):
        raise UnsupportedDocumentError(f"This is no text: send {ACCEPTED}.")
    declared = re.search(rb"<meta[^>]{1,200}charset=[\"']?([\w-]{1,40})", data[:2048], re.IGNORECASE)
    try:
        codec = codecs.lookup(declared[1].decode()).name if declared else "utf-8-sig"
        # A codec that is none of text ("hex", "zip") is a LookupError; one that leaves half letters fails in encode.
        return data.decode("cp1252" if codec in _READ_AS_WINDOWS_1252 else codec).encode().decode()
    except (UnicodeError, LookupError) as error:
        raise DocumentRejectedError("The text is not valid UTF-8: save it as UTF-8, then add it.") from error


def _title(declared: object, heading: str, converted: str, filename: str) -> str:
    if declared and not isinstance(declared, str):
        raise DocumentRejectedError("The title in the front matter must be a line of text.")
    stem = PurePosixPath(filename).stem.replace("-", " ").replace("_", " ").strip() or filename
    decent = "" if _POOR_TITLE.match(converted) else converted
    title = " ".join(str(declared or heading or decent or f"{stem[:1].upper()}{stem[1:]}").split())
    return title if len(title) <= _MAX_TITLE else title[:_MAX_TITLE].rsplit(" ", 1)[0]


def _date(fields: dict[str, object], name: str) -> date | None:
    value = fields.get(name)
    if not value:
        return None
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        raise DocumentRejectedError(f"The {name} date must be written like 2026-01-31.") from error
