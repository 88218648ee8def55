"""The index built anew beside the one that is searched, for another embedder or other fields: no search fails."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from teller.errors import ConfigurationError, SearchUnavailableError
from teller.knowledge.index import IndexStatus, Vector
from teller.knowledge.opensearch import mapping
from teller.knowledge.opensearch.rebuild import Rebuilt, rebuild
from teller.models.embedder import OnnxEmbedder
from teller.models.vector_cache import VectorCache
from tests.knowledge.openers import OpenSearchOpener
from tests.support.opensearch.node import Node
from tests.support.passages import CARDS, LOANS, TODAY, document


class Other:
    """Another embedder: a passage's vector is the counts of its letters."""

    name = "letters"
    dimension = 26
    at_once = 8

    async def aembed_query(self, text: str) -> list[float]:
        return [float(text.lower().count(chr(97 + n))) for n in range(26)]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        return [await self.aembed_query(text) for text in texts]


async def letters(text: str) -> Vector:
    return np.asarray(await Other().aembed_query(text), dtype=np.float32)


@pytest.fixture
async def other_vectors(tmp_path: Path) -> AsyncIterator[VectorCache]:
    cache = await VectorCache.open(tmp_path / "letters.db", Other())
    yield cache
    await cache.close()


async def to_letters(opener: OpenSearchOpener, vectors: VectorCache) -> Rebuilt | None:
    return await rebuild(opener.address, opener.alias, Other(), vectors, 10)


def aliased(node: Node, alias: str) -> list[str]:
    return list(httpx.get(f"{node.url}/_alias/{alias}", timeout=30).json())


async def test_every_document_is_embedded_anew_and_the_alias_leads_to_them(
    opensearch: Node, opensearch_opener: OpenSearchOpener, other_vectors: VectorCache
) -> None:
    former = await opensearch_opener.open()
    await former.upsert(*CARDS, None)
    await former.upsert(*LOANS, None)
    await former.delete("loans")
    documents = await former.documents()
    alias = opensearch_opener.alias
    assert await to_letters(opensearch_opener, other_vectors) == Rebuilt(f"{alias}-000002", f"{alias}-000001")
    assert aliased(opensearch, alias) == [f"{alias}-000002"]
    index = await opensearch_opener.open(Other.name, Other.dimension)
    assert await index.documents() == documents
    assert await index.status() == IndexStatus(passages=3, with_vector=3)
    assert await index.passages_of("cards") == CARDS[1]
    assert await index.delete("loans") is False
    (best, *_) = await index.search("", await letters(CARDS[1][2].embedding_text), on=TODAY)
    assert best.passage_id == "cards-2"
    assert best.similarity == pytest.approx(1.0)
    assert await to_letters(opensearch_opener, other_vectors) is None, "it is current: nothing to do"


async def test_a_client_that_searches_throughout_meets_no_failure_and_no_empty_answer(
    opensearch_opener: OpenSearchOpener, other_vectors: VectorCache, embedder: OnnxEmbedder
) -> None:
    index = await opensearch_opener.open()
    many = [document(f"d{n}", f"The fee for service {n} is ${n}.", "Nothing else.") for n in range(30)]
    for info, passages in many:
        await index.upsert(info, passages, [np.ones(embedder.dimension, np.float32)] * 2)
    question = np.ones(embedder.dimension, np.float32)
    answers: list[int] = []
    stop = asyncio.Event()

    async def search_on() -> None:
        while not stop.is_set():
            answers.append(len(await index.search("fee", question, on=TODAY)))

    clients = [asyncio.create_task(search_on()) for _ in range(3)]
    rebuilt = await to_letters(opensearch_opener, other_vectors)
    before = len(answers)
    await asyncio.wait(clients, timeout=2)
    assert len(answers) > before
    stop.set()
    await asyncio.gather(*clients)
    assert rebuilt is not None
    assert set(answers) == {6}
    # By its words alone: this process' vectors are not the index's any more.
    assert {passage.similarity for passage in await index.search("fee", question, on=TODAY)} == {None}
    with pytest.raises(SearchUnavailableError, match="teller migrate"):
        await index.upsert(*CARDS, None)


async def test_what_is_written_while_the_fields_change_is_not_lost(
    opensearch: Node, opensearch_opener: OpenSearchOpener, other_vectors: VectorCache
) -> None:
    opener = opensearch_opener
    index = await opener.open(Other.name, Other.dimension)
    older = mapping.Nature(Other.name, Other.dimension, mapping.MAPPING - 1)
    await describe(opensearch, opener.alias, older.meta)
    index._binding.nature = older  # as a process of the older version has it
    for n in range(10):
        info, passages = document(f"before{n}", f"Text {n}.")
        await index.upsert(info, passages, [await letters(passages[0].embedding_text)])

    async def write_on() -> None:
        for n in range(15):
            await index.upsert(*document(f"meanwhile{n}", f"Text {n}."), None)
            await index.delete(f"before{n}")

    writing = asyncio.create_task(write_on())
    rebuilt = await to_letters(opener, other_vectors)
    await writing
    assert rebuilt is not None
    assert aliased(opensearch, opener.alias) == [rebuilt.index]
    assert {info.document_id for info in await index.documents()} == {f"meanwhile{n}" for n in range(15)}
    assert len(await index.search("text", None, on=TODAY, limit=50)) == 15


async def describe(node: Node, alias: str, meta: dict[str, Any]) -> None:
    async with httpx.AsyncClient(timeout=30) as client:
        (await client.put(f"{node.url}/{alias}/_mapping", json={"_meta": meta})).raise_for_status()


async def test_an_older_index_is_refused_with_the_mend_and_a_newer_one_is_not_touched(
    opensearch: Node, opensearch_opener: OpenSearchOpener, other_vectors: VectorCache
) -> None:
    await opensearch_opener.open(Other.name, Other.dimension)
    for difference, told in ((-1, "older Teller: run `teller migrate`"), (1, "newer Teller")):
        meta = mapping.Nature(Other.name, Other.dimension, mapping.MAPPING + difference).meta
        await describe(opensearch, opensearch_opener.alias, meta)
        with pytest.raises(ConfigurationError, match=told):
            await opensearch_opener.open(Other.name, Other.dimension)
    with pytest.raises(ConfigurationError, match="newer Teller"):
        await to_letters(opensearch_opener, other_vectors)


async def test_a_rebuild_that_was_stopped_changes_nothing_and_the_next_one_ends(
    opensearch_opener: OpenSearchOpener, other_vectors: VectorCache, embedder: OnnxEmbedder
) -> None:
    index = await opensearch_opener.open()
    for n in range(6):
        await index.upsert(*document(f"d{n}", f"Text {n}."), None)

    def stop(done: int, _: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await rebuild(opensearch_opener.address, opensearch_opener.alias, Other(), other_vectors, 10, stop)
    assert len(await index.search("text", None, on=TODAY)) == 6
    rebuilt = await to_letters(opensearch_opener, other_vectors)
    assert rebuilt is not None
    after = await opensearch_opener.open(Other.name, Other.dimension)
    assert await after.status() == IndexStatus(passages=6, with_vector=6)
