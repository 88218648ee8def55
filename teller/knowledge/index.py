"""The protocol of a knowledge index, and what travels through it.

Two implementations stand behind it: `embedded.py` (no server) and, when a cluster is configured, OpenSearch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Passage:
    """One chunk of a document, as it is indexed and as a search returns it.

    `score` is what the search ranked by (comparable within one search only); `similarity` is the cosine between the
    question's vector and the passage's, in [-1, 1], or None where the passage has no vector yet.
    """

    passage_id: str
    document_id: str
    filename: str
    title: str
    section: str
    text: str
    collection: str = "default"
    effective: date | None = None
    expires: date | None = None
    score: float = 0.0
    similarity: float | None = None

    @property
    def heading(self) -> str:
        """Title and section in one line: the context a chunk needs to be understood alone."""
        return ": ".join(dict.fromkeys(name for name in (self.title, self.section) if name))

    @property
    def embedding_text(self) -> str:
        """What the embedder reads of this passage."""
        return f"{self.heading}\n{self.text}".lstrip("\n")


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """What is known of one document in the index; `chunks` counts its passages."""

    document_id: str
    filename: str
    title: str
    collection: str
    chunks: int
    content_hash: str
    effective: date | None
    expires: date | None
    uploaded_at: datetime


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """`passages` in the index, and how many of them have their vector."""

    passages: int
    with_vector: int


class Upsert(NamedTuple):
    """A document to be put in place of its former self; without `vectors` its passages are found by their words."""

    document: DocumentInfo
    passages: Sequence[Passage]
    vectors: Sequence[Vector] | None


class KnowledgeIndex(Protocol):
    """Passages that are found by their words and by their meaning. Every method is a coroutine and may be cancelled.

    Raises (all methods): SearchUnavailableError where the index cannot be reached.
    """

    name: str

    async def search(
        self, question: str, vector: Vector | None, *, on: date, limit: int = 6, collection: str | None = None
    ) -> list[Passage]:
        """Return the passages in force `on` that day, best first; without a vector by words alone."""
        ...

    async def upsert(
        self, document: DocumentInfo, passages: Sequence[Passage], vectors: Sequence[Vector] | None
    ) -> None:
        """Put a document in place of its former self, all of it or none; without vectors it is found by words."""
        ...

    async def upsert_all(self, upserts: Sequence[Upsert]) -> None:
        """Put several documents in, no two of one id: each all of it or none, and much sooner than one by one."""
        ...

    async def add_vectors(self, vectors: dict[str, Vector]) -> None:
        """Give vectors to passages by their id; ids that are gone meanwhile are passed over."""
        ...

    async def without_vector(self) -> list[Passage]:
        """Return the passages that still wait for their vector."""
        ...

    async def delete(self, *document_ids: str) -> bool:
        """Remove documents; False where none of them was there."""
        ...

    async def documents(self) -> list[DocumentInfo]:
        """Return what is in the index, by file name."""
        ...

    async def passages_of(self, document_id: str) -> list[Passage]:
        """Return a document's passages in reading order; empty where there is none."""
        ...

    async def ever_held_anything(self) -> bool:
        """Return whether a document was ever put in, even if it was deleted since."""
        ...

    async def status(self) -> IndexStatus:
        """Return how much is in the index."""
        ...

    async def close(self) -> None:
        """Let go of files and connections."""
        ...
