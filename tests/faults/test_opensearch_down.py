"""A real OpenSearch that is killed, hangs and comes back while it is searched and written to."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import numpy as np
import pytest

from teller.errors import SearchUnavailableError
from teller.knowledge.index import IndexStatus
from teller.knowledge.opensearch.adapter import OpenSearchIndex
from teller.knowledge.opensearch.address import Address
from teller.knowledge.opensearch.address import Node as Place
from teller.knowledge.opensearch.documents import Documents
from tests.support.opensearch.node import Node
from tests.support.opensearch.running import running_node
from tests.support.passages import TODAY, document

DIMENSION = 8


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    """A node of this module's own, to be killed."""
    with running_node() as node:
        yield node


async def opened(node: Node, name: str, seconds: float = 10) -> OpenSearchIndex:
    address = Address((Place("127.0.0.1", node.port, tls=False),))
    return await OpenSearchIndex.open(address, name, "eight", DIMENSION, seconds)


@pytest.fixture
async def index(node: Node, request: pytest.FixtureRequest) -> AsyncIterator[OpenSearchIndex]:
    index = await opened(node, f"t{abs(hash(request.node.name))}")
    yield index
    await index.close()


async def test_what_was_acknowledged_survives_a_kill_and_nothing_is_half_there(
    node: Node, index: OpenSearchIndex
) -> None:
    acknowledged: list[str] = []
    enough = asyncio.Event()
    vectors = [np.ones(DIMENSION, np.float32)] * 5

    async def write_on() -> None:
        for n in range(1_000):
            await index.upsert(*document(f"d{n}", *(f"Part {part} of text {n}." for part in range(5))), vectors)
            acknowledged.append(f"d{n}")
            if enough.is_set():
                return

    async def search_on() -> None:
        while True:
            await index.search("text", vectors[0], on=TODAY)

    writing, *searching = [asyncio.create_task(work()) for work in (write_on, search_on, search_on)]
    async with asyncio.timeout(120):
        while len(acknowledged) < 5:
            await asyncio.wait([writing, *searching], timeout=0.05)
    await asyncio.to_thread(node.stop, signal.SIGKILL)
    async with asyncio.timeout(60):
        failures = await asyncio.gather(*searching, return_exceptions=True)
    assert all(isinstance(failure, SearchUnavailableError) for failure in failures)
    await asyncio.to_thread(node.start)
    await until_searched(index)
    enough.set()
    async with asyncio.timeout(120):
        (failure,) = await asyncio.gather(writing, return_exceptions=True)
    # It outlasts the restart, but one that takes more than a minute.
    assert failure is None or isinstance(failure, SearchUnavailableError)
    documents = {info.document_id for info in await index.documents()}
    assert set(acknowledged) <= documents
    for document_id in documents:
        assert len(await index.passages_of(document_id)) == 5
    left = len(documents)
    assert await index.status() == IndexStatus(passages=5 * left, with_vector=5 * left)
    await index.upsert(*document("after", "The first text after it."), None)
    assert "after-0" in {p.passage_id for p in await index.search("first text after", None, on=TODAY)}


async def test_a_node_that_hangs_fails_a_search_in_its_time_and_serves_when_it_goes_on(
    node: Node, index: OpenSearchIndex
) -> None:
    await index.upsert(*document("a", "Some text."), None)
    impatient = await opened(node, index._binding.alias, seconds=1)
    node.pause()
    try:
        async with asyncio.timeout(30):
            with pytest.raises(SearchUnavailableError, match="does not answer in time"):
                await impatient.search("text", None, on=TODAY)
    finally:
        node.go_on()
    await until_searched(index)
    assert len(await index.search("text", None, on=TODAY)) == 1
    await impatient.close()


async def test_a_writer_that_is_killed_half_way_is_seen_by_nobody_and_its_work_can_be_done_again(
    node: Node, index: OpenSearchIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = document("rates", *(f"Former part {n}." for n in range(4)))
    await index.upsert(*former, None)
    new = document("rates", *(f"New part {n}." for n in range(6)))
    other = document("other", *(f"Other part {n}." for n in range(3)))

    async def killed(*_: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(Documents, "_put_records", killed)
        for made in (new, other):
            with pytest.raises(asyncio.CancelledError):
                await index.upsert(*made, None)
    await index._kept.make_visible(index._binding.alias)
    assert await index.documents() == [former[0]]
    assert await index.status() == IndexStatus(passages=4, with_vector=0)
    found = await index.search("part", None, on=TODAY, limit=20)
    assert {passage.text.split()[0] for passage in found} == {"Former"}
    assert len(found) == 4
    for made in (new, other):
        await index.upsert(*made, None)
    assert len(await index.search("part", None, on=TODAY, limit=20)) == 9
    assert await index.status() == IndexStatus(passages=9, with_vector=0)


async def test_an_index_that_somebody_removed_is_told_with_the_mend(node: Node, index: OpenSearchIndex) -> None:
    await index.upsert(*document("a", "Some text."), None)
    await index._cluster.write("DELETE", f"/{index._binding.alias}-000001")
    for work in (index.search("text", None, on=TODAY), index.upsert(*document("b", "Text."), None)):
        with pytest.raises(SearchUnavailableError, match="is missing: start `teller serve` again"):
            await work


async def until_searched(index: OpenSearchIndex) -> None:
    """Return when the node is whole again: its shards come back a moment after it."""
    async with asyncio.timeout(120):
        while True:
            with suppress(SearchUnavailableError):
                await index.search("text", None, on=TODAY)
                return
            await asyncio.sleep(0.2)
