"""Documents on their way into the index: read, cut into passages, embedded, and put in place of what they replace."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from teller.errors import DocumentRejectedError, IngestBusyError
from teller.knowledge.chunking import CHUNKING, chunk, document_id
from teller.knowledge.converter import Converter
from teller.knowledge.folder import Folder, read
from teller.knowledge.formats import convert
from teller.knowledge.index import DocumentInfo, KnowledgeIndex, Passage, Upsert
from teller.knowledge.loading import Convert, collection_name, load
from teller.models.vector_cache import VectorCache

SAMPLE_BANK = Path(__file__).parent / "documents"
_DEFAULT_COLLECTION = "default"
_LONGEST_WAIT_SECONDS = 30.0  # for uploads that are read first: who waits holds one of the turns' places
_VECTORS_PER_WRITE = 8
_PASSAGES_PER_WRITE = 64
_UPLOAD = "upload"  # where a document came from that is in no folder
_UNFINISHED = "sample bank, unfinished"  # what its first document came from while others are still to come

Prepared = tuple[DocumentInfo, list[Passage]]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingest is: the file at hand, files done of all, and of this file passages embedded of all."""

    filename: str
    files_done: int
    files: int
    passages_done: int
    passages: int


@dataclass(slots=True)
class IngestReport:
    """What an ingest did; `rejected` says by its name why a file, or what is in a folder, was not taken in."""

    added: list[DocumentInfo] = field(default_factory=list)
    changed: list[DocumentInfo] = field(default_factory=list)
    unchanged: list[DocumentInfo] = field(default_factory=list)
    removed: list[DocumentInfo] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)


class Ingester:
    """Puts documents into an index: an upload, a file, a folder, the sample bank. Its work is done off the event loop.

    A document goes in whole or not at all. The same file in the same collection takes its former self's place, and
    vectors of text that did not change come from the cache. Ingests may run at once: the last to write a document wins.
    """

    def __init__(self, index: KnowledgeIndex, cache: VectorCache, count_tokens: Callable[[str], int]) -> None:
        self._index = index
        self._cache = cache
        self._count_tokens = count_tokens
        self._one_upload_is_read = asyncio.Lock()  # the process that reads it may be greedy
        self._sample_bank_was_in = False

    async def ingest_bytes(self, filename: str, data: bytes, collection: str | None = None) -> DocumentInfo:
        """Take in one document; when this returns it is found by words and by meaning.

        Args:
            filename: The name it came with; a path in it is taken away.
            data: The file, whole.
            collection: Where it is filed; None for what the document names, else "default".

        Raises:
            DocumentRejectedError: it cannot be read; the message says what to do.
            IngestBusyError: others are read first, and for too long.
        """
        async with self._turn_to_be_read(), Converter() as converter:  # whoever gives up ends it
            prepare = partial(self._prepare, filename, data, collection, _UPLOAD, converter.convert)
            prepared = await asyncio.to_thread(prepare)
        await self._index.upsert(*await self._embed(prepared))
        return prepared[0]

    async def ingest_path(
        self, path: Path, collection: str | None = None, progress: Callable[[Progress], None] = lambda _: None
    ) -> IngestReport:
        """Take in a file, or a folder with all below it: only what changed is embedded, and what is gone is removed.

        Gone is what an earlier ingest of this folder with this `collection` took in and is no longer there; uploads
        and other folders' documents stay, and so does what another ingest puts in meanwhile. A file that is there but
        cannot be read any more keeps its former text, and where a folder below cannot be looked into, nothing counts as
        gone.

        Raises:
            DocumentRejectedError: there is no file at this path.
        """
        before = await self._index.documents()
        folder = await asyncio.to_thread(Folder.at, path)
        source, report = folder.source(collection), IngestReport(rejected=dict(folder.unseen))
        known = {(info.filename, info.content_hash): info for info in before}
        there = {info.document_id for info in before}
        waiting: list[Upsert] = []
        async with Converter() as converter:
            for done, (name, file) in enumerate(folder.files.items()):
                step = Progress(name, done, len(folder.files), 0, 0)
                look = partial(self._look_at, name, file, collection, source, converter.convert, known)
                try:
                    found = await asyncio.to_thread(look)
                except DocumentRejectedError as rejected:
                    report.rejected[name] = str(rejected)
                else:
                    if isinstance(found, DocumentInfo):
                        report.unchanged.append(found)
                    else:
                        step = await self._embed_with_progress(found, step, progress, waiting)
                        (report.changed if found[0].document_id in there else report.added).append(found[0])
                progress(replace(step, files_done=done + 1))
        await self._index.upsert_all(waiting)
        if folder.whole and not folder.unseen:
            report.removed = await self._remove_gone(folder, before, source, report)
        return report

    async def ingest_sample_bank(self) -> int:
        """Put the sample bank's words into an index that never held anything; return the number of documents put in.

        What was deleted stays deleted; what a kill left unfinished is finished. `fill_vectors` gives the passages their
        vectors; until then they are found by their words.
        """
        if await self.sample_bank_was_in():
            return 0
        first, *others = await asyncio.to_thread(self._read_sample_bank)
        marked = replace(first[0], content_hash=_fingerprint(b"", _UNFINISHED))
        for document, passages in ((marked, first[1]), *others, first):
            await self._index.upsert(document, passages, None)
        return 1 + len(others)

    async def sample_bank_was_in(self) -> bool:
        """Return whether the index has held the whole sample bank, or never waits for it: it held other documents.

        A yes stays true, so it is looked up once: a probe asks every few seconds.
        """
        if not self._sample_bank_was_in and await self._index.ever_held_anything():
            held = await self._index.documents()
            self._sample_bank_was_in = not any(info.content_hash.endswith(_UNFINISHED) for info in held)
        return self._sample_bank_was_in

    async def fill_vectors(self) -> None:
        """Embed the passages that still wait for it; run at each start, since an earlier one may have been stopped.

        Made to run in the background of a server: between two passages it gives way, and it may be cancelled.
        """
        waiting = await self._index.without_vector()
        for start in range(0, len(waiting), _VECTORS_PER_WRITE):
            batch = waiting[start : start + _VECTORS_PER_WRITE]
            vectors = await self._cache.vectors([passage.embedding_text for passage in batch])
            ids = [passage.passage_id for passage in batch]
            await self._index.add_vectors(dict(zip(ids, vectors, strict=True)))

    @asynccontextmanager
    async def _turn_to_be_read(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_LONGEST_WAIT_SECONDS):
                await self._one_upload_is_read.acquire()
        except TimeoutError:
            raise IngestBusyError("Other documents are being read: upload this one again in a moment.") from None
        try:
            yield
        finally:
            self._one_upload_is_read.release()

    def _read_sample_bank(self) -> list[Prepared]:
        folder = Folder.at(SAMPLE_BANK)
        source = folder.source(None)
        return [self._prepare(name, read(file), None, source, convert) for name, file in folder.files.items()]

    def _look_at(
        self,
        name: str,
        file: Path,
        collection: str | None,
        source: str,
        convert: Convert,
        known: dict[tuple[str, str], DocumentInfo],
    ) -> DocumentInfo | Prepared:
        """Return what is known of a file that did not change, or what is to be put in its place."""
        data = read(file)
        unchanged = known.get((name, _fingerprint(data, source)))
        return unchanged or self._prepare(name, data, collection, source, convert)

    def _prepare(self, filename: str, data: bytes, collection: str | None, source: str, convert: Convert) -> Prepared:
        """Read a document and cut it: all of the work before the embedding."""
        loaded = load(filename, data, convert)
        filed = collection_name(collection) or loaded.collection or _DEFAULT_COLLECTION
        passages = chunk(loaded, filed, self._count_tokens)
        document = DocumentInfo(
            document_id=document_id(filed, loaded.filename),
            filename=loaded.filename,
            title=loaded.title,
            collection=filed,
            chunks=len(passages),
            content_hash=_fingerprint(data, source),
            effective=loaded.effective,
            expires=loaded.expires,
            uploaded_at=datetime.now(UTC),
        )
        return document, passages

    async def _embed_with_progress(
        self, found: Prepared, step: Progress, progress: Callable[[Progress], None], waiting: list[Upsert]
    ) -> Progress:
        """Embed a document's passages and let it wait to be written with others; write where they have become many."""
        document, passages = found
        step = replace(step, passages=len(passages))
        progress(step)
        many = sum(len(one.passages) for one in waiting) + len(passages) > _PASSAGES_PER_WRITE
        if many or any(one.document.document_id == document.document_id for one in waiting):
            await self._index.upsert_all(waiting)
            waiting.clear()
        waiting.append(await self._embed(found, lambda done: progress(replace(step, passages_done=done))))
        return replace(step, passages_done=len(passages))

    async def _embed(self, found: Prepared, progress: Callable[[int], None] | None = None) -> Upsert:
        document, passages = found
        texts = [passage.embedding_text for passage in passages]
        return Upsert(document, passages, await self._cache.vectors(texts, progress=progress))

    async def _remove_gone(
        self, folder: Folder, before: list[DocumentInfo], source: str, report: IngestReport
    ) -> list[DocumentInfo]:
        """Remove what is in the index as it was `before`, and whose file is absent still; return it."""
        try:
            appeared = (await asyncio.to_thread(Folder.at, folder.path)).files.keys() - folder.files.keys()
        except DocumentRejectedError:  # all of it is gone meanwhile: the next ingest will say so
            return []
        there = {info.document_id for info in (*report.added, *report.changed, *report.unchanged)}
        untouched = set(before)
        gone = [
            info
            for info in await self._index.documents()
            if info in untouched
            and info.content_hash.endswith(source)
            and info.document_id not in there
            and info.filename not in report.rejected
            and info.filename not in appeared
        ]
        await self._index.delete(*(info.document_id for info in gone))
        return gone


def _fingerprint(data: bytes, source: str) -> str:
    """Return what a document's content hash is: its bytes, how they are cut, and where they came from.

    A document that differs in any of these is ingested anew.
    """
    return f"{hashlib.sha256(data).hexdigest()[:32]}-{CHUNKING}-{source}"
