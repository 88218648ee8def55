"""OpenSearch Serverless as its documentation describes it: no ids, no pipelines, no refresh, faiss alone.

A real node stands behind; what the service would refuse is refused before it. The service itself was not tried.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from teller.knowledge.index import IndexStatus
from teller.knowledge.opensearch.adapter import OpenSearchIndex
from teller.knowledge.opensearch.profile import Profile
from teller.models.embedder import OnnxEmbedder
from tests.knowledge.openers import OpenSearchOpener
from tests.support.opensearch.front import Front, as_serverless, standing
from tests.support.opensearch.node import Node
from tests.support.passages import CARDS, LOANS, TODAY, asked, document, ids, unit, vectors


@pytest.fixture
async def index(opensearch: Node, opensearch_opener: OpenSearchOpener) -> AsyncIterator[OpenSearchIndex]:
    # This machine has no faiss: its mapping is used, its graph is not built.
    opensearch_opener.profile = replace(Profile.of("aoss"), exact=True)
    async with standing(Front(opensearch.url, as_serverless)) as front:
        opensearch_opener.ports = (front.port,)
        yield await opensearch_opener.open()


async def test_documents_are_put_in_found_replaced_and_deleted(index: OpenSearchIndex, embedder: OnnxEmbedder) -> None:
    for info, passages in (CARDS, LOANS):
        await index.upsert(info, passages, vectors(embedder, passages))
    question = "somebody stole my wallet, when do I get new plastic?"
    best, *_ = await index.search(question, asked(embedder, question), on=TODAY)
    assert best == replace(CARDS[1][1], score=best.score, similarity=best.similarity)
    assert await index.documents() == [CARDS[0], LOANS[0]]
    await index.upsert(*document("cards", "There are no more cards."), None)
    assert [passage.text for passage in await index.passages_of("cards")] == ["There are no more cards."]
    assert "There are no more cards." in [p.text for p in await index.search("card", None, on=TODAY)]
    assert await index.delete("cards") is True
    assert await index.delete("cards") is False
    assert await index.documents() == [LOANS[0]]
    assert await index.ever_held_anything() is True


async def test_vectors_follow_the_words(index: OpenSearchIndex, embedder: OnnxEmbedder) -> None:
    await index.upsert(*CARDS, None)
    assert await index.status() == IndexStatus(passages=3, with_vector=0)
    await index.add_vectors({"cards-1": unit(embedder, 0), "gone": unit(embedder, 1)})
    await asyncio.sleep(2)  # the service shows it by itself, after a while
    assert await index.status() == IndexStatus(passages=3, with_vector=1)
    assert ids(await index.without_vector()) == ["cards-0", "cards-2"]
    (found,) = await index.search("", unit(embedder, 0), on=TODAY)
    assert found.passage_id == "cards-1"
    assert await index.passages_of("cards") == CARDS[1]
