"""What lives as long as the process: models, index and ledger. Opened once, closed once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

import structlog
from pydantic import SecretStr

from teller.cards import demo, keys
from teller.cards.engines import ledger_url, place
from teller.cards.sql_ledger import SqlLedger
from teller.errors import ConfigurationError, LedgerUnavailableError, SearchUnavailableError
from teller.knowledge.embedded import EmbeddedIndex
from teller.knowledge.index import KnowledgeIndex
from teller.knowledge.ingest import Ingester
from teller.models.choosing import open_models
from teller.models.embedder import OnnxEmbedder
from teller.models.hosted import Hosted
from teller.models.query_vectors import QueryVectors
from teller.models.quote.model import QuoteChatModel
from teller.models.registry import ChatModels
from teller.models.vector_cache import Embedder, VectorCache
from teller.settings import Settings

SHIPPED_VECTORS = Path(__file__).parent / "models" / "bge-small-en-v1.5" / "shipped_vectors.npz"
"""The vectors of the sample bank and of the utterances, made by `make vectors`: a first start embeds none of them."""

_INDEX_AGAIN_SECONDS = 5.0

if TYPE_CHECKING:
    from teller.models.bedrock.titan import TitanEmbeddings

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Services:
    """The parts that the graph and the doors work with. Open them with `opened`, which closes them too.

    `queries` embeds in process, for routing and for `quote`, whose weights were fitted to that embedder; what searches
    the index may be another embedder, with `search_queries` and `search_vectors`.
    """

    settings: Settings
    ledger: SqlLedger
    index: KnowledgeIndex
    ingester: Ingester
    vectors: VectorCache
    queries: QueryVectors
    search_queries: QueryVectors
    search_vectors: VectorCache
    quote: QuoteChatModel
    models: ChatModels
    background: set[asyncio.Task[None]] = field(default_factory=set)

    @classmethod
    @asynccontextmanager
    async def opened(cls, settings: Settings) -> AsyncIterator[Self]:
        """Open all parts for the length of the block.

        Raises:
            ConfigurationError: a part cannot be opened as it is configured; the message says what to mend.
        """
        async with AsyncExitStack() as stack:
            services = await cls._open(settings, stack)
            try:
                yield services
            finally:
                for task in services.background:
                    task.cancel()
                await asyncio.gather(*services.background, return_exceptions=True)

    @classmethod
    async def open(cls, settings: Settings) -> Self:
        """Open all parts for as long as the process lives: for Studio, which never says when it ends."""
        return await cls._open(settings, AsyncExitStack())

    @classmethod
    async def _open(cls, settings: Settings, stack: AsyncExitStack) -> Self:
        await asyncio.to_thread(_make_folder, settings.data_dir)
        hosted = Hosted(settings, stack)
        local = await asyncio.to_thread(OnnxEmbedder)
        vectors = await _vector_cache(settings, local, stack)
        queries = search_queries = QueryVectors(local)
        ledger = await open_ledger(settings)
        stack.push_async_callback(ledger.close)
        with suppress(LedgerUnavailableError):  # busy: writes forget in passing, too
            await ledger.forget_old()
        quote = QuoteChatModel(decline="", vectors=vectors, questions=queries, count_tokens=local.count_tokens)
        models = await open_models(settings, quote, hosted)
        searching = await _search_embedder(settings, local, hosted)
        search_vectors = vectors
        if searching is not local:
            search_vectors, search_queries = await _vector_cache(settings, searching, stack), QueryVectors(searching)
        index = await _open_index(settings, searching)
        stack.push_async_callback(index.close)
        ingester = Ingester(index, search_vectors, local.count_tokens)
        return cls(settings, ledger, index, ingester, vectors, queries, search_queries, search_vectors, quote, models)

    def index_sample_bank_in_background(self) -> None:
        """Fill a new index while the server serves: words first, then vectors, then the sentences' vectors."""
        task = asyncio.create_task(self._index_sample_bank())
        self.background.add(task)
        task.add_done_callback(self.background.discard)

    async def index_sample_bank(self) -> None:
        """Fill a new index with the sample bank, unless it is off."""
        if self.settings.sample_bank == "on":
            await self.ingester.ingest_sample_bank()
        await self.ingester.fill_vectors()
        for document in await self.index.documents():
            await self.quote.prepare(await self.index.passages_of(document.document_id))

    async def _index_sample_bank(self) -> None:
        while True:
            try:
                await self.index_sample_bank()
                return
            except SearchUnavailableError as failure:  # a cluster may be up later than this process
                _log.warning("the sample bank waits for the index", why=str(failure))
            except Exception as failure:  # in the background nobody else would hear of it
                _log.error("the sample bank could not be indexed", error=type(failure).__name__)
                return
            await asyncio.sleep(_INDEX_AGAIN_SECONDS)


async def _vector_cache(settings: Settings, embedder: Embedder, stack: AsyncExitStack) -> VectorCache:
    cache = await VectorCache.open(settings.data_dir / "vectors.db", embedder, SHIPPED_VECTORS)
    stack.push_async_callback(cache.close)
    return cache


async def _search_embedder(settings: Settings, local: OnnxEmbedder, hosted: Hosted) -> "OnnxEmbedder | TitanEmbeddings":
    if settings.embedding_model == "bge-small-en-v1.5":
        return local
    return await hosted.titan(int(settings.embedding_model.rpartition("/")[2]))


async def _open_index(settings: Settings, embedder: Embedder) -> KnowledgeIndex:
    if not settings.opensearch_url:
        return await EmbeddedIndex.open(settings.data_dir / "knowledge.db", embedder.name, embedder.dimension)
    from teller.knowledge.opensearch.adapter import OpenSearchIndex
    from teller.knowledge.opensearch.address import Address

    return await OpenSearchIndex.open(
        Address.of(settings),
        settings.opensearch_index,
        embedder.name,
        embedder.dimension,
        settings.search_timeout_seconds,
    )


async def migrate_index(settings: Settings, progress: Callable[[int, int], None]) -> str:
    """Build the OpenSearch index anew beside the one that is searched, where embedder or fields have changed.

    Args:
        settings: Which index, and what embeds now.
        progress: Told how many documents are carried over, of how many.

    Returns:
        What was done, for a person to read.

    Raises:
        TellerError: it could not be done; what is searched is as it was.
    """
    if not settings.opensearch_url:
        return "The embedded index needs none."
    from teller.knowledge.opensearch.address import Address
    from teller.knowledge.opensearch.rebuild import rebuild

    async with AsyncExitStack() as stack:
        await asyncio.to_thread(_make_folder, settings.data_dir)
        embedder = await _search_embedder(settings, await asyncio.to_thread(OnnxEmbedder), Hosted(settings, stack))
        vectors = await _vector_cache(settings, embedder, stack)
        seconds = settings.search_timeout_seconds
        done = await rebuild(Address.of(settings), settings.opensearch_index, embedder, vectors, seconds, progress)
    if done is None:
        return f"The index {settings.opensearch_index} is current."
    return f"{settings.opensearch_index} leads to {done.index} now; {done.former} stays until the next time."


async def explain_index(settings: Settings) -> str:
    """Return what is at OPENSEARCH_URL, in one line; change nothing.

    Raises:
        TellerError: it can't serve as it is; the message says how to mend it.
    """
    from teller.knowledge.opensearch.address import Address
    from teller.knowledge.opensearch.explain import explain
    from teller.knowledge.opensearch.mapping import Nature

    async with AsyncExitStack() as stack:
        embedder = await _search_embedder(settings, await asyncio.to_thread(OnnxEmbedder), Hosted(settings, stack))
        nature = Nature(embedder.name, embedder.dimension)
        return await explain(Address.of(settings), settings.opensearch_index, nature, settings.search_timeout_seconds)


async def open_ledger(settings: Settings) -> SqlLedger:
    """Return the ledger of these settings; one that has never held anything gets the demo, and the log says so.

    A PostgreSQL ledger with SAMPLE_BANK=off gets none: it waits for the bank's own holders.
    """
    target = settings.database_url or settings.data_dir / "teller.db"
    key, pepper = await asyncio.to_thread(lambda: (audit_key(settings), pin_pepper(settings)))
    ledger = await SqlLedger.open(target, audit_key=key, pepper=pepper, clock=lambda: datetime.now(UTC))
    wants_demo = not settings.on_postgresql or settings.sample_bank == "on"
    if wants_demo and await demo.seed_if_empty(ledger, pepper) and settings.on_postgresql:
        _log.warning("the ledger was empty: it holds the ten people of the demo now", off="SAMPLE_BANK=off")
    return ledger


def index_place(settings: Settings) -> str:
    """Return where the index is, for a person to read: no user and no password."""
    if not settings.opensearch_url:
        return f"embedded, {settings.data_dir}/knowledge.db"
    from teller.knowledge.opensearch.address import Address

    return f"OpenSearch, {settings.opensearch_index} at {Address.of(settings)}"


def ledger_place(settings: Settings) -> str:
    """Return which database holds the ledger and where, for a person to read: no user and no password."""
    url = ledger_url(settings.database_url or settings.data_dir / "teller.db")
    return f"{'PostgreSQL' if settings.on_postgresql else 'SQLite'}, {place(url)}"


def audit_key(settings: Settings) -> bytes:
    """Return the key that chains the audit trail."""
    return _secret(settings.audit_key, settings.data_dir, "audit.key")


def pin_pepper(settings: Settings) -> bytes:
    """Return the key that PINs are hashed with."""
    return _secret(settings.pin_pepper, settings.data_dir, "pin.pepper")


def _secret(given: SecretStr | None, folder: Path, name: str) -> bytes:
    return given.get_secret_value().encode() if given else keys.read_or_make(folder, name)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as failure:
        raise ConfigurationError(f"DATA_DIR: {folder} cannot be made ({failure.strerror}): set another") from failure
