"""The document types that need a parser of their own, each brought to Markdown by the module that knows it.

A parser is imported when the first such document comes, never before. Hostile files make parsers slow and greedy, so
what strangers send is converted in a process of its own: `converter.py`.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["html", "pdf", "docx"]
ACCEPTED = "Markdown (.md), text (.txt), HTML (.html), PDF (.pdf) or Word (.docx)"


@dataclass(frozen=True, slots=True)
class Converted:
    """A document as Markdown, and the title its file declares (often none, often a poor one)."""

    title: str
    markdown: str


def convert(kind: Kind, data: bytes) -> Converted:
    """Bring a document to Markdown in this process; a page comes as UTF-8.

    Raises:
        DocumentRejectedError: it is damaged, protected, or without text; the message says what to do.
    """
    if kind == "html":
        from teller.knowledge.web_page import from_html

        return from_html(data.decode())
    if kind == "pdf":
        from teller.knowledge.pdf_document import from_pdf

        return from_pdf(data)
    from teller.knowledge.word_document import from_docx

    return from_docx(data)
