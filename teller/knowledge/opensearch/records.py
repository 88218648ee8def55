"""What is in the index as JSON, and back: passages, and a record for each revision of a document.

A document's newest record says which revision of its passages counts. It is written last and at once, so all of a
document is found or none of it; what an interrupted write left behind has no record, and is found by nobody.
"""

import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np

from teller.knowledge.index import DocumentInfo, Passage, Vector

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """A revision of a document as the index keeps it; deleted ones stay as a memory that there was one."""

    key: str
    """Its id in the index."""
    revision: str
    deleted: bool
    document: DocumentInfo


class Revision(NamedTuple):
    """A document as it is to be written: `name` is the revision's, `sources` are the passages."""

    document: DocumentInfo
    name: str
    sources: Sequence[Json]
    deleted: bool = False


def next_revision(former: Record | None) -> str:
    """Return a name for a new revision, greater than the former one's even where two machines' clocks differ."""
    now = time.time_ns()
    if former is not None:
        now = max(now, int(former.revision.partition("-")[0]) + 1)
    return f"{now:020}-{secrets.token_hex(4)}"


def deletion(former: Record) -> Revision:
    """Return the revision that says that a document is no more."""
    return Revision(former.document, next_revision(former), (), deleted=True)


def age_seconds(revision: str) -> float:
    """Return how long ago a revision was begun."""
    return (time.time_ns() - int(revision.partition("-")[0])) / 1e9


def newest(records: Iterable[Record]) -> dict[str, Record]:
    """Return the record that counts, by document; deleted ones among them."""
    found: dict[str, Record] = {}
    for record in records:
        document_id = record.document.document_id
        if document_id not in found or record.revision > found[document_id].revision:
            found[document_id] = record
    return found


def unit(vector: Vector, dimension: int) -> Vector | None:
    """Return a vector at length 1; None for one that points nowhere.

    Raises:
        ValueError: it is none of this index.
    """
    if vector.shape != (dimension,):
        raise ValueError(f"a vector of shape {vector.shape} does not belong in an index of {dimension}")
    length = float(np.linalg.norm(vector))
    return (vector / length).astype(np.float32) if length else None


def passage_sources(passages: Sequence[Passage], vectors: Sequence[Vector | None] | None) -> list[Json]:
    """Return passages as they are written, but for their revision; without `vectors` they wait for theirs."""
    given = [None] * len(passages) if vectors is None else vectors
    return [
        {
            "kind": "passage",
            "place": place,
            "passage_id": passage.passage_id,
            "document_id": passage.document_id,
            "filename": passage.filename,
            "title": passage.title,
            "section": passage.section,
            "text": passage.text,
            "collection": passage.collection,
            "waiting": vectors is None,
            **_days(passage.effective, passage.expires),
            **({} if vector is None else {"embedding": vector}),
        }
        for place, (passage, vector) in enumerate(zip(passages, given, strict=True))
    ]


def record_source(revision: Revision) -> Json:
    """Return a document's record as it is written."""
    document = revision.document
    return {
        "kind": "document",
        "revision": revision.name,
        "deleted": revision.deleted,
        "document_id": document.document_id,
        "filename": document.filename,
        "collection": document.collection,
        "chunks": document.chunks,
        "info": {
            "title": document.title,
            "content_hash": document.content_hash,
            "uploaded_at": document.uploaded_at.isoformat(),
        },
        **_days(document.effective, document.expires),
    }


def record(hit: Json) -> Record:
    """Read a document's record."""
    source, info = hit["_source"], hit["_source"]["info"]
    document = DocumentInfo(
        document_id=source["document_id"],
        filename=source["filename"],
        title=info["title"],
        collection=source["collection"],
        chunks=source["chunks"],
        content_hash=info["content_hash"],
        effective=_day(source["since"], date.min),
        expires=_day(source["until"], date.max),
        uploaded_at=datetime.fromisoformat(info["uploaded_at"]),
    )
    return Record(hit["_id"], source["revision"], source["deleted"], document)


def passage(source: Json) -> Passage:
    """Read a passage."""
    return Passage(
        passage_id=source["passage_id"],
        document_id=source["document_id"],
        filename=source["filename"],
        title=source["title"],
        section=source["section"],
        text=source["text"],
        collection=source["collection"],
        effective=_day(source["since"], date.min),
        expires=_day(source["until"], date.max),
    )


def found_passage(source: Json, score: float, question: Vector | None) -> Passage:
    """Read a passage that a search found, with its cosine to the question's vector (of length 1)."""
    embedding = source.get("embedding")
    similarity = None
    if embedding is not None and question is not None:
        similarity = float(np.asarray(embedding, dtype=np.float32) @ question)
    return replace(passage(source), score=score, similarity=similarity)


def _days(effective: date | None, expires: date | None) -> Json:
    return {"since": (effective or date.min).isoformat(), "until": (expires or date.max).isoformat()}


def _day(text: str, never: date) -> date | None:
    day = date.fromisoformat(text)
    return None if day == never else day
