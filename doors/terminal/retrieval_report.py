"""How well the index finds: the figures behind `teller eval retrieval`, on anybody's documents and questions."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from doors.terminal.beir import BeirSet, figures
from teller.knowledge.chunking import chunk, document_id
from teller.knowledge.fusion import DEPTH
from teller.knowledge.index import DocumentInfo, KnowledgeIndex
from teller.knowledge.loading import LoadedDocument
from teller.knowledge.markdown import read_sections
from teller.services import Services
from teller.settings import Settings

COLLECTION = "default"
Step = Callable[[str, int, int], None]


async def measure_retrieval(settings: Settings, given: BeirSet, step: Step) -> dict[str, float]:
    """Put the documents into a new index of the configured kind, ask the questions, and return the figures.

    A document counts as found where the best of its passages stands. `ms_per_query` is the embedding of the question
    and the search, one question at a time.

    Args:
        settings: What index and embedder to measure; nothing of what they hold is touched.
        given: The set.
        step: Told what is being done, and how much of it is done, of how much.
    """
    async with _scratch(settings) as services:
        passages = 0
        for done, (name, (title, text)) in enumerate(given.documents.items(), 1):
            passages += await _put(services, name, title, text)
            step("documents", done, len(given.documents))
        ranked: dict[str, list[str]] = {}
        today = datetime.now(settings.zone).date()
        began = perf_counter()
        for done, (name, question) in enumerate(given.questions.items(), 1):
            vector = await services.search_queries.vector(question)
            found = await services.index.search(question, vector, on=today, limit=2 * DEPTH)
            ranked[name] = list(dict.fromkeys(passage.filename for passage in found))
            step("questions", done, len(given.questions))
        milliseconds = (perf_counter() - began) * 1000 / len(ranked)
        counts = {"queries": len(ranked), "documents": len(given.documents), "passages": passages}
        return counts | figures(ranked, given.grades) | {"ms_per_query": round(milliseconds, 2)}


@asynccontextmanager
async def _scratch(settings: Settings) -> AsyncIterator[Services]:
    """Open the configured parts over an index of their own, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="teller-eval-") as folder:
        apart = {
            "data_dir": Path(folder),
            "opensearch_index": f"teller-eval-{secrets.token_hex(4)}",
            "database_url": "",
            "sample_bank": "off",
            "chat_model": "quote",
            "fallback_chat_model": "",
        }
        async with Services.opened(settings.model_copy(update=apart)) as services:
            try:
                yield services
            finally:
                await _remove(services.index)


async def _remove(index: KnowledgeIndex) -> None:
    """Take a cluster's index away; an embedded one goes with its folder."""
    from teller.knowledge.opensearch.adapter import OpenSearchIndex

    if isinstance(index, OpenSearchIndex):
        await index.remove()


async def _put(services: Services, name: str, title: str, text: str) -> int:
    """Cut, embed and index a document as an ingest does; return its number of passages."""
    sections = read_sections(text, title)
    loaded = LoadedDocument(name, title, COLLECTION, None, None, sections)
    passages = await asyncio.to_thread(chunk, loaded, COLLECTION, services.quote.count_tokens)
    identity, now = document_id(COLLECTION, name), datetime.now(UTC)
    document = DocumentInfo(identity, name, title, COLLECTION, len(passages), "", None, None, now)
    vectors = await services.search_vectors.vectors([passage.embedding_text for passage in passages])
    await services.index.upsert(document, passages, vectors)
    return len(passages)
