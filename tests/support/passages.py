"""Small documents, and vectors for them, as the tests of an index put them in."""

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np

from teller.knowledge.index import DocumentInfo, Passage, Vector
from teller.models.embedder import OnnxEmbedder

TODAY = date(2026, 3, 1)


def document(name: str, *texts: str, collection: str = "default") -> tuple[DocumentInfo, list[Passage]]:
    uploaded = datetime(2026, 2, 1, 12, 30, tzinfo=UTC)
    info = DocumentInfo(name, f"{name}.md", name.title(), collection, len(texts), "hash", None, None, uploaded)
    passages = [
        Passage(f"{name}-{place}", name, info.filename, info.title, "", text, collection)
        for place, text in enumerate(texts)
    ]
    return info, passages


def in_force(
    made: tuple[DocumentInfo, list[Passage]], effective: date | None = None, expires: date | None = None
) -> tuple[DocumentInfo, list[Passage]]:
    info, passages = made
    return (
        replace(info, effective=effective, expires=expires),
        [replace(passage, effective=effective, expires=expires) for passage in passages],
    )


def unit(embedder: OnnxEmbedder, place: int) -> Vector:
    vector = np.zeros(embedder.dimension, dtype=np.float32)
    vector[place] = 1.0
    return vector


def vectors(embedder: OnnxEmbedder, passages: list[Passage]) -> list[Vector]:
    return [np.asarray(v, np.float32) for v in embedder.embed_documents([p.embedding_text for p in passages])]


def asked(embedder: OnnxEmbedder, question: str) -> Vector:
    return np.asarray(embedder.embed_query(question), dtype=np.float32)


def ids(passages: list[Passage]) -> list[str]:
    return [passage.passage_id for passage in passages]


CARDS = document(
    "cards",
    "The late fee on a credit card is $29.",
    "A lost card is replaced free of charge in 5 to 7 business days.",
    "The Travel Visa gives access to airport lounges twice a year.",
)
LOANS = document("loans", "A personal loan has a fixed rate from 7.49% APR.", "An early repayment costs nothing.")
