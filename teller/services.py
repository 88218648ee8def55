"""What lives as long as the process: models, index and ledger. Opened once, closed once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import structlog
from pydantic import SecretStr
from threadpoolctl import threadpool_limits

from teller.cards import demo, keys
from teller.cards.engines import ledger_url, place
from teller.cards.sql_ledger import SqlLedger
from teller.data_dir import make_data_dir
from teller.errors import LedgerUnavailableError, ModelUnavailableError, SearchUnavailableError
from teller.knowledge.choosing import open_index, search_embedder, vector_cache
from teller.knowledge.index import KnowledgeIndex
from teller.knowledge.ingest import Ingester
from teller.models.choosing import open_models
from teller.models.cross_encoder import CrossEncoder
from teller.models.embedder import OnnxEmbedder
from teller.models.hosted import Hosted
from teller.models.query_vectors import QueryVectors
from teller.models.quote.model import QuoteChatModel
from teller.models.registry import ChatModels
from teller.models.vector_cache import VectorCache
from teller.settings import Settings

_log = structlog.get_logger(__name__)

FORGET_EVERY_SECONDS = 600.0
"""How often a server deletes the ledger's rows of yesterday; where there are none this writes nothing."""

_INDEX_AGAIN_SECONDS = 5.0
_LAST_WAIT_SECONDS = 12.0  # longer than an answer settles

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the real time, with its zone."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Services:
    """The parts that the graph and the doors work with. Open them with `opened`, which closes them too.

    `queries` embeds in process, for routing and for `quote`, whose weights were fitted to that embedder; what searches
    the index may be another embedder, with `search_queries` and `search_vectors`. `clock` tells the day by which
    documents are in force. `unfinished`: work that goes on though its caller hung up, such as a block that was
    confirmed; the shutdown waits for it.
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
    clock: Clock = utc_now
    background: set[asyncio.Task[None]] = field(default_factory=set)
    unfinished: set[asyncio.Task[Any]] = field(default_factory=set)

    @classmethod
    @asynccontextmanager
    async def opened(cls, settings: Settings, clock: Clock = utc_now) -> AsyncIterator[Self]:
        """Open all parts for the length of the block; `clock` gives every time of day.

        Raises:
            ConfigurationError: a part cannot be opened as it is configured; the message says what to mend.
        """
        async with AsyncExitStack() as stack:
            services = await cls._open(settings, stack, clock)
            try:
                yield services
            finally:
                if services.unfinished:
                    await asyncio.wait(services.unfinished, timeout=_LAST_WAIT_SECONDS)
                for task in services.background:
                    task.cancel()
                await asyncio.gather(*services.background, return_exceptions=True)

    @classmethod
    async def open(cls, settings: Settings) -> Self:
        """Open all parts for as long as the process lives: for Studio, which never says when it ends."""
        return await cls._open(settings, AsyncExitStack(), utc_now)

    @classmethod
    async def _open(cls, settings: Settings, stack: AsyncExitStack, clock: Clock) -> Self:
        await asyncio.to_thread(make_data_dir, settings.data_dir)
        threadpool_limits(1, "blas")  # its threads wait for each other where cores are busy: 7 ms a turn, not 0.5
        hosted = Hosted(settings, stack)
        local = await asyncio.to_thread(OnnxEmbedder)
        vectors = await vector_cache(settings, local, stack)
        queries = search_queries = QueryVectors(local)
        ledger = await open_ledger(settings, clock)
        stack.push_async_callback(ledger.close)
        with suppress(LedgerUnavailableError):  # busy: writes forget in passing, too
            await ledger.forget_old()
        quote = QuoteChatModel(
            decline="",
            vectors=vectors,
            questions=queries,
            cross_encoder=await asyncio.to_thread(CrossEncoder),
            count_tokens=local.count_tokens,
        )
        models = await open_models(settings, quote, hosted)
        searching = await search_embedder(settings, local, hosted)
        search_vectors = vectors
        if searching is not local:
            search_vectors, search_queries = await vector_cache(settings, searching, stack), QueryVectors(searching)
        index = await open_index(settings, searching)
        stack.push_async_callback(index.close)
        ingester = Ingester(index, search_vectors, local.count_tokens)
        return cls(
            settings, ledger, index, ingester, vectors, queries, search_queries, search_vectors, quote, models, clock
        )

    def index_sample_bank_in_background(self) -> None:
        """Fill a new index while the server serves: words first, then vectors, then the sentences' vectors."""
        task = asyncio.create_task(self._index_sample_bank())
        self.background.add(task)
        task.add_done_callback(self.background.discard)

    def forget_in_background(self) -> None:
        """Delete what has outlived its use now and then, so that it dies in a quiet server, too."""
        task = asyncio.create_task(self._forget_now_and_then())
        self.background.add(task)
        task.add_done_callback(self.background.discard)

    async def index_sample_bank(self) -> None:
        """Fill a new index with the sample bank, unless it is off."""
        if self.settings.sample_bank == "on":
            await self.ingester.ingest_sample_bank()
        await self.ingester.fill_vectors()
        for document in await self.index.documents():
            await self.quote.prepare(await self.index.passages_of(document.document_id))

    async def _forget_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(FORGET_EVERY_SECONDS)
            with suppress(LedgerUnavailableError):  # the next time, then
                await self.ledger.forget_old()

    async def _index_sample_bank(self) -> None:
        while True:
            try:
                await self.index_sample_bank()
                return
            except (SearchUnavailableError, ModelUnavailableError) as failure:  # a cluster may be up later than we are
                _log.warning("the sample bank waits for the index or its embedder", why=str(failure))
            except Exception as failure:  # in the background nobody else would hear of it
                _log.error("the sample bank could not be indexed", error=type(failure).__name__)
                return
            await asyncio.sleep(_INDEX_AGAIN_SECONDS)


async def open_ledger(settings: Settings, clock: Clock = utc_now) -> SqlLedger:
    """Return the ledger of these settings; one that has never held anything gets the demo, and the log says so.

    A PostgreSQL ledger with SAMPLE_BANK=off gets none: it waits for the bank's own holders.
    """
    target = settings.database_url or settings.data_dir / "teller.db"
    key, pepper = await asyncio.to_thread(lambda: (audit_key(settings), pin_pepper(settings)))
    ledger = await SqlLedger.open(target, audit_key=key, pepper=pepper, clock=clock)
    wants_demo = not settings.on_postgresql or settings.sample_bank == "on"
    if wants_demo and await demo.seed_if_empty(ledger, pepper) and settings.on_postgresql:
        _log.warning("the ledger was empty: it holds the ten people of the demo now", off="SAMPLE_BANK=off")
    return ledger


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
