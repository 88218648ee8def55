"""A document becomes passages: whole sections where they fit, small neighbours packed together, long ones cut.

What a passage is embedded with (title, section and text) never exceeds what the embedder reads, so no word is unread.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from teller.knowledge.cutting import Measure, cut
from teller.knowledge.index import Passage
from teller.knowledge.loading import LoadedDocument
from teller.knowledge.markdown import Section

# Raised when the same document would be cut otherwise: what is indexed is cut anew when it is ingested next.
CHUNKING = 3

_MAX_TOKENS = 254  # of the embedder's 256, two frame the text
_PACKED_TOKENS = 244
_MAX_TITLE_TOKENS = 40
_MAX_HEADING_TOKENS = 40
_MAX_CHARACTERS_PER_TOKEN = 12  # a word of 10,000 characters is one unknown token: it must not make one passage
_HEADING_MARK = "## "


@dataclass(frozen=True, slots=True)
class _Part:
    """A section or a piece of one, and what it takes up in a passage with its heading."""

    section: Section
    size: int


def chunk(document: LoadedDocument, collection: str, count_tokens: Callable[[str], int]) -> list[Passage]:
    """Cut a document into passages, in reading order, each at most what the embedder reads with its title: 254 tokens.

    What it can read whole (a document, else a section) stays whole; small sections are packed up to about 244 tokens.
    A passage with one section, or a piece of one, is named by it. A passage with several has no `section`: each of
    them begins in its text with a line "## Section".

    Args:
        document: What was read of the file.
        collection: Where it is filed; with the file name it makes the ids.
        count_tokens: The embedder's count; additive over white space, as word-piece tokenizers are.
    """

    def measure(text: str) -> int:
        at_least = len(text) // _MAX_CHARACTERS_PER_TOKEN
        # Beyond what fits, how much is no matter: counting a text of megabytes would take a gigabyte.
        return at_least if at_least > _MAX_TOKENS else max(count_tokens(text), at_least)

    title = _clipped(document.title, measure)
    most = _MAX_TOKENS - measure(title)
    identity = document_id(collection, document.filename)
    blank = Passage("", identity, document.filename, title, "", "", collection, document.effective, document.expires)
    parts = list(_parts(document.sections, most, measure))
    whole = sum(part.size for part in parts) <= most
    packed = _packed(parts, most if whole else min(_PACKED_TOKENS, most))
    return [_passage(blank, ordinal, parts) for ordinal, parts in enumerate(packed)]


def document_id(collection: str, filename: str) -> str:
    """Return the id of a file in a collection: the same file added again takes its own place."""
    return hashlib.sha256(f"{collection}\n{filename}".encode()).hexdigest()[:16]


def _parts(sections: tuple[Section, ...], room: int, measure: Measure) -> Iterator[_Part]:
    """Yield what goes into passages: sections that fit, and the pieces of those that do not."""
    for section in sections:
        if measure(section.heading) > _MAX_HEADING_TOKENS:  # not a name but a text: read it as one
            section = Section("", f"{section.heading}\n\n{section.text}")
        named = measure(_HEADING_MARK) + measure(section.heading) if section.heading else 0
        size = named + measure(section.text)
        if size <= room:
            yield _Part(section, size)
            continue
        for piece in cut(section.text, room - named, measure):
            yield _Part(Section(section.heading, piece.text), named + piece.size)


def _packed(parts: Sequence[_Part], room: int) -> Iterator[list[Section]]:
    """Yield neighbouring parts together as long as they fit: a chunk for each small section finds less."""
    together: list[Section] = []
    size = 0
    for part in parts:
        if together and size + part.size > room:
            yield together
            together, size = [], 0
        together.append(part.section)
        size += part.size
    if together:
        yield together


def _passage(blank: Passage, ordinal: int, sections: list[Section]) -> Passage:
    if len(sections) == 1:
        passage = replace(blank, section=sections[0].heading, text=sections[0].text)
    else:
        passage = replace(blank, text="\n\n".join(_under_heading(section) for section in sections))
    content = hashlib.sha256(passage.embedding_text.encode()).hexdigest()[:12]
    return replace(passage, passage_id=f"{blank.document_id}-{ordinal}-{content}")


def _under_heading(section: Section) -> str:
    return f"{_HEADING_MARK}{section.heading}\n{section.text}".rstrip() if section.heading else section.text


def _clipped(title: str, measure: Measure) -> str:
    """Return as many of the title's words as a passage has room for; of a single long one, a part."""
    while measure(title) > _MAX_TITLE_TOKENS:
        shorter = title.rpartition(" ")[0]
        title = shorter or title[: len(title) * 3 // 4]
    return title
