"""Where the cluster lacks pipelines, our own fusion of words and meaning ranks as the cluster's would."""

import asyncio
from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from teller.knowledge.fusion import fused
from teller.knowledge.index import Passage, Vector
from teller.knowledge.opensearch.adapter import OpenSearchIndex
from teller.knowledge.opensearch.profile import Profile
from tests.knowledge.openers import OpenSearchOpener
from tests.support.passages import document, in_force

WORDS = "fee card loan rate home auto late cash limit branch transfer deposit visa gold travel fraud".split()
DAYS = [date(2026, 1, 1), date(2026, 6, 1)]


def vector(seed: int, dimension: int) -> Vector:
    return np.random.default_rng(seed).normal(size=dimension).astype(np.float32)


class Pair:
    """The same index, opened with the cluster's pipeline and with our own fusion."""

    def __init__(self, pipeline: OpenSearchIndex, ours: OpenSearchIndex, dimension: int) -> None:
        self.pipeline, self.ours, self.dimension = pipeline, ours, dimension


@pytest.fixture
async def pair(opensearch_opener: OpenSearchOpener) -> Pair:
    """180 passages, more than either list holds; some wait for their vector, and some are not in force."""
    pipeline = await opensearch_opener.open()
    opensearch_opener.profile = Profile(pipeline=False)
    ours = await opensearch_opener.open()
    dimension = opensearch_opener.embedder.dimension
    choose = np.random.default_rng(7)
    for n in range(12):
        texts = [" ".join(choose.choice(WORDS, size=choose.integers(3, 40))) for _ in range(15)]
        made = document(f"d{n}", *texts, collection="loans" if n % 3 else "cards")
        info, passages = in_force(made, DAYS[n % 2]) if n % 4 == 0 else made
        given_vectors = None if n == 5 else [vector(100 * n + place, dimension) for place in range(15)]
        await pipeline.upsert(info, passages, given_vectors)
    return Pair(pipeline, ours, dimension)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(st.sampled_from([*WORDS, "what", "nothing"]), max_size=6),
    seed=st.integers(0, 10_000),
    on=st.sampled_from([date(2025, 1, 1), date(2026, 3, 1), date(2027, 1, 1)]),
    collection=st.sampled_from([None, "cards", "loans", "none"]),
    limit=st.sampled_from([1, 6, 40]),
)
async def test_both_ways_find_the_same_in_the_same_order(
    pair: Pair, words: list[str], seed: int, on: date, collection: str | None, limit: int
) -> None:
    asked = " ".join(words), vector(seed, pair.dimension)
    one, other = await asyncio.gather(
        *(index.search(*asked, on=on, limit=limit, collection=collection) for index in (pair.pipeline, pair.ours))
    )
    assert scores(one) == pytest.approx(scores(other), abs=1e-6)
    distinct = [place for place, passage in enumerate(one) if is_alone(one, place)]
    assert [one[place].passage_id for place in distinct] == [other[place].passage_id for place in distinct]
    assert {p.passage_id: p.similarity for p in one if p in other} == {
        p.passage_id: p.similarity for p in other if p in one
    }


def scores(passages: list[Passage]) -> list[float]:
    return [passage.score for passage in passages]


def is_alone(passages: list[Passage], place: int) -> bool:
    """Whether no neighbour, nor what may have been cut off, has the same score: among equals any order will do."""
    score = passages[place].score
    return place < len(passages) - 1 and all(
        abs(score - other.score) > 1e-6 for n, other in enumerate(passages) if n != place
    )


class TestFusion:
    def test_scores_are_the_weighted_mean_of_what_each_list_gives(self) -> None:
        lists = [{"a": 10.0, "b": 6.0, "c": 2.0}, {"b": 0.9, "d": 0.1}]
        expected = {"a": 0.25, "b": 0.25 * 0.5 + 0.75, "c": 0.25 * 0.001, "d": 0.75 * 0.001}
        assert fused(lists, [1.0, 3.0]) == pytest.approx(expected, abs=1e-6)

    def test_a_passage_found_alone_counts_as_the_best_of_its_list(self) -> None:
        assert fused([{"a": 3.0}, {}], [0.5, 0.5]) == {"a": 0.5}

    def test_nothing_found_is_nothing(self) -> None:
        assert fused([{}, {}], [0.5, 0.5]) == {}
