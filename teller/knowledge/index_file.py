"""The file of the embedded index: its schema, and the reads and writes that happen inside one transaction."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

from teller import sqlite_file
from teller.errors import ConfigurationError
from teller.knowledge.index import DocumentInfo, IndexStatus, Passage

_SCHEMA_VERSION = 2
_SCHEMA = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID",
    # AUTOINCREMENT: a row id never comes back, so a snapshot can tell a document from its successor.
    """CREATE TABLE documents (
        id INTEGER PRIMARY KEY AUTOINCREMENT, document_id TEXT NOT NULL UNIQUE, filename TEXT NOT NULL,
        title TEXT NOT NULL, collection TEXT NOT NULL, content_hash TEXT NOT NULL, effective TEXT, expires TEXT,
        uploaded_at TEXT NOT NULL, generation INTEGER NOT NULL)""",
    """CREATE TABLE passages (
        id INTEGER PRIMARY KEY, document INTEGER NOT NULL REFERENCES documents (id), passage_id TEXT NOT NULL UNIQUE,
        document_id TEXT NOT NULL, filename TEXT NOT NULL, title TEXT NOT NULL, section TEXT NOT NULL,
        text TEXT NOT NULL, collection TEXT NOT NULL, effective TEXT, expires TEXT,
        words BLOB NOT NULL, vector BLOB)""",
    "CREATE INDEX documents_by_generation ON documents (generation)",
    "CREATE INDEX passages_by_document ON passages (document)",
)
_PASSAGE = "passage_id, document_id, filename, title, section, text, collection, effective, expires"
_DOCUMENT = "document_id, filename, title, collection, content_hash, effective, expires, uploaded_at"
_ROWS_AT_A_TIME = 10_000

IndexedPassage = tuple[Passage, bytes, bytes | None]
"""A passage, its counted terms, and its vector, or None while it waits for it."""


class ChangedRow(NamedTuple):
    """What a search needs of a passage before it is found: `words` its terms, `vector` None while it waits for it."""

    row: int
    document: int
    collection: str
    effective: date | None
    expires: date | None
    words: bytes
    vector: bytes | None


def connect(path: Path, embedder: str, dimension: int) -> sqlite3.Connection:
    """Open the file, or make it, bound to an embedder. One thread at a time may use the connection.

    Raises:
        ConfigurationError: the file cannot be opened, is none of ours, or was filled by another embedder.
    """
    try:
        connection = sqlite_file.connect(path)
        try:
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                _prepare(connection, path, embedder, dimension)
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, OSError) as error:
        raise ConfigurationError(
            f"The knowledge index {path} cannot be used ({error}): mend its folder, or move it away and ingest anew"
        ) from error
    return connection


def generation(connection: sqlite3.Connection) -> int:
    """Return the number of writes so far."""
    (value,) = connection.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()
    return int(value)


def put_all(connection: sqlite3.Connection, documents: Sequence[tuple[DocumentInfo, Sequence[IndexedPassage]]]) -> None:
    """Put documents in place of their former selves, each with its passages."""
    for document, passages in documents:
        _put(connection, document, passages)


def add_vectors(connection: sqlite3.Connection, vectors: Sequence[tuple[str, bytes]]) -> None:
    """Give vectors to passages by id, and mark their documents as changed."""
    for passage_id, vector in vectors:
        added = connection.execute("UPDATE passages SET vector = ? WHERE passage_id = ?", (vector, passage_id))
        if added.rowcount:
            connection.execute(
                "UPDATE documents SET generation = ? WHERE id = (SELECT document FROM passages WHERE passage_id = ?)",
                (_next_generation(connection), passage_id),
            )


def delete(connection: sqlite3.Connection, *document_ids: str) -> bool:
    """Remove documents; False where none of them was there."""
    removed = [document_id for document_id in document_ids if _remove(connection, document_id)]
    if removed:
        _next_generation(connection)
    return bool(removed)


def document_rows(connection: sqlite3.Connection) -> list[int]:
    """Return the row ids of all documents."""
    return [row for (row,) in connection.execute("SELECT id FROM documents")]


def changed_since(connection: sqlite3.Connection, generation: int) -> Iterator[list[ChangedRow]]:
    """Yield, some thousand at a time, the passages of documents that were written after a generation."""
    cursor = connection.execute(
        "SELECT p.id, p.document, p.collection, p.effective, p.expires, p.words, p.vector"
        " FROM documents AS d JOIN passages AS p ON p.document = d.id WHERE d.generation > ?",
        (generation,),
    )
    while rows := cursor.fetchmany(_ROWS_AT_A_TIME):
        yield [
            ChangedRow(row, document, collection, _day(since), _day(until), words, vector)
            for row, document, collection, since, until, words, vector in rows
        ]


def documents(connection: sqlite3.Connection) -> list[DocumentInfo]:
    """Return all documents by file name."""
    rows = connection.execute(
        f"SELECT {_DOCUMENT}, (SELECT count(*) FROM passages WHERE document = documents.id)"  # noqa: S608
        " FROM documents ORDER BY filename, collection"
    )
    return [_document(row) for row in rows]


def passages(connection: sqlite3.Connection, where: str, *values: object) -> dict[int, Passage]:
    """Return the passages that meet a condition written in this project, by row id, in the order it asks for."""
    rows = connection.execute(f"SELECT id, {_PASSAGE} FROM passages WHERE {where}", values)  # noqa: S608
    return {
        row: Passage(name, document, filename, title, section, text, collection, _day(effective), _day(expires))
        for row, name, document, filename, title, section, text, collection, effective, expires in rows
    }


def status(connection: sqlite3.Connection) -> IndexStatus:
    """Return how many passages there are, and how many of them have a vector."""
    return IndexStatus(*connection.execute("SELECT count(*), count(vector) FROM passages").fetchone())


def _prepare(connection: sqlite3.Connection, path: Path, embedder: str, dimension: int) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        for statement in (*_SCHEMA, f"PRAGMA user_version = {_SCHEMA_VERSION}"):
            connection.execute(statement)
        rows = [("generation", 0), ("embedder", embedder), ("dimension", dimension)]
        connection.executemany("INSERT INTO meta (key, value) VALUES (?, ?)", rows)
    elif version != _SCHEMA_VERSION:
        raise ConfigurationError(f"{path} was written by another version of Teller: move it away and ingest anew")
    meta = dict(connection.execute("SELECT key, value FROM meta"))
    if (meta["embedder"], meta["dimension"]) != (embedder, dimension):
        raise ConfigurationError(
            f"{path} holds vectors of {meta['embedder']} ({meta['dimension']} dimensions), but the embedder is now"
            f" {embedder} ({dimension}): set EMBEDDING_MODEL back, or move the file away and ingest the documents anew"
        )


def _next_generation(connection: sqlite3.Connection) -> int:
    """Count a write, so that every process takes over what it changed."""
    connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'generation'")
    return generation(connection)


def _put(connection: sqlite3.Connection, document: DocumentInfo, passages: Sequence[IndexedPassage]) -> None:
    _remove(connection, document.document_id)
    written = connection.execute(
        f"INSERT INTO documents ({_DOCUMENT}, generation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (
            document.document_id,
            document.filename,
            document.title,
            document.collection,
            document.content_hash,
            _iso(document.effective),
            _iso(document.expires),
            document.uploaded_at.isoformat(),
            _next_generation(connection),
        ),
    )
    connection.executemany(
        f"INSERT INTO passages (document, words, vector, {_PASSAGE})"  # noqa: S608
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ((written.lastrowid, words, vector, *_values(passage)) for passage, words, vector in passages),
    )


def _remove(connection: sqlite3.Connection, document_id: str) -> bool:
    old = "SELECT id FROM documents WHERE document_id = ?"
    connection.execute(f"DELETE FROM passages WHERE document = ({old})", (document_id,))  # noqa: S608
    return connection.execute("DELETE FROM documents WHERE document_id = ?", (document_id,)).rowcount > 0


def _values(passage: Passage) -> tuple[str | None, ...]:
    return (
        passage.passage_id,
        passage.document_id,
        passage.filename,
        passage.title,
        passage.section,
        passage.text,
        passage.collection,
        _iso(passage.effective),
        _iso(passage.expires),
    )


def _document(row: tuple[str, str, str, str, str, str | None, str | None, str, int]) -> DocumentInfo:
    document_id, filename, title, collection, content_hash, effective, expires, uploaded_at, chunks = row
    return DocumentInfo(
        document_id,
        filename,
        title,
        collection,
        chunks,
        content_hash,
        _day(effective),
        _day(expires),
        datetime.fromisoformat(uploaded_at),
    )


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
