"""Which index holds the knowledge and what embeds for it, as the settings say: the one place that names both."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from teller.data_dir import make_data_dir
from teller.knowledge.embedded import EmbeddedIndex
from teller.knowledge.index import KnowledgeIndex
from teller.models.embedder import OnnxEmbedder
from teller.models.embedder_folder import embedder_in
from teller.models.embedder_pair import EmbedderPair
from teller.models.hosted import Hosted
from teller.models.vector_cache import Embedder, VectorCache
from teller.settings import TITAN, Settings

if TYPE_CHECKING:
    from teller.models.bedrock.titan import TitanEmbeddings

SHIPPED_VECTORS = Path(__file__).parent.parent / "models" / "bge-small-en-v1.5" / "shipped_vectors.npz"
"""The vectors of the sample bank and of the utterances, made by `make vectors`: a first start embeds none of them."""


async def search_embedder(
    settings: Settings, local: OnnxEmbedder, hosted: Hosted
) -> "OnnxEmbedder | EmbedderPair | TitanEmbeddings":
    """Return what embeds passages and the questions that search them."""
    match settings.embedding_model:
        case "bge-small-en-v1.5":
            return local
        case "bge+e5":
            return await asyncio.to_thread(EmbedderPair.with_e5, local)
        case titan if titan.startswith(TITAN):
            return await hosted.titan(int(titan.rpartition("/")[2]))
        case folder:
            return await asyncio.to_thread(embedder_in, Path(folder))


async def vector_cache(settings: Settings, embedder: Embedder, stack: AsyncExitStack) -> VectorCache:
    """Return the cache of an embedder's vectors, which the stack closes."""
    cache = await VectorCache.open(settings.data_dir / "vectors.db", embedder, SHIPPED_VECTORS)
    stack.push_async_callback(cache.close)
    return cache


async def open_index(settings: Settings, embedder: Embedder) -> KnowledgeIndex:
    """Return the knowledge index of these settings, bound to what embeds its passages."""
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
        await asyncio.to_thread(make_data_dir, settings.data_dir)
        embedder = await search_embedder(settings, await asyncio.to_thread(OnnxEmbedder), Hosted(settings, stack))
        vectors = await vector_cache(settings, embedder, stack)
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
        embedder = await search_embedder(settings, await asyncio.to_thread(OnnxEmbedder), Hosted(settings, stack))
        nature = Nature(embedder.name, embedder.dimension)
        return await explain(Address.of(settings), settings.opensearch_index, nature, settings.search_timeout_seconds)


def index_place(settings: Settings) -> str:
    """Return where the index is, for a person to read: no user and no password."""
    if not settings.opensearch_url:
        return f"embedded, {settings.data_dir}/knowledge.db"
    from teller.knowledge.opensearch.address import Address

    return f"OpenSearch, {settings.opensearch_index} at {Address.of(settings)}"
