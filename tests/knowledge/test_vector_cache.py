"""What the vector cache promises: a text is embedded once, whoever asks, and serving never waits for it."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from teller.errors import ConfigurationError
from teller.models import vector_cache
from teller.models.embedder import OnnxEmbedder
from teller.models.vector_cache import VectorCache
from tests.support.counting_embedder import CountingEmbedder


@pytest.fixture
def counting(embedder: OnnxEmbedder) -> CountingEmbedder:
    return CountingEmbedder(embedder)


async def test_vectors_are_the_embedders_own_in_the_order_of_the_texts(
    tmp_path: Path, counting: CountingEmbedder, embedder: OnnxEmbedder
) -> None:
    cache = await VectorCache.open(tmp_path / "new" / "vectors.db", counting)
    for _ in range(2):
        found = await cache.vectors(["a fee", "a card", "a fee"])
        assert [vector.dtype for vector in found] == [np.float32] * 3
        expected = np.asarray(embedder.embed_documents(["a fee", "a card", "a fee"]), dtype=np.float32)
        assert np.array_equal(np.stack(found), expected)
    assert counting.embedded == ["a fee", "a card"]
    await cache.close()


async def test_a_question_and_a_passage_of_the_same_words_have_different_vectors(
    tmp_path: Path, counting: CountingEmbedder, embedder: OnnxEmbedder
) -> None:
    cache = await VectorCache.open(tmp_path / "vectors.db", counting)
    (passage,), (question,) = await cache.vectors(["a fee"]), await cache.vectors(["a fee"], as_queries=True)
    assert np.array_equal(question, np.asarray(embedder.embed_query("a fee"), dtype=np.float32))
    assert not np.array_equal(question, passage)
    await cache.close()


async def test_vectors_outlive_the_process_and_belong_to_their_embedder(
    tmp_path: Path, counting: CountingEmbedder, embedder: OnnxEmbedder
) -> None:
    texts = [f"text {n}" for n in range(40)]
    first = await VectorCache.open(tmp_path / "vectors.db", counting)
    await first.vectors(texts)
    await first.close()
    again, other = CountingEmbedder(embedder), CountingEmbedder(embedder, name="other")
    for asked, embedded in ((again, []), (other, texts)):
        cache = await VectorCache.open(tmp_path / "vectors.db", asked)
        await cache.vectors(texts)
        await cache.close()
        assert asked.embedded == embedded


async def test_many_askers_together_embed_one_text_at_a_time(tmp_path: Path, counting: CountingEmbedder) -> None:
    cache = await VectorCache.open(tmp_path / "vectors.db", counting)
    await asyncio.gather(*(cache.vectors([f"text {n} {m}" for m in range(4)]) for n in range(5)))
    assert len(counting.embedded) == 20
    assert counting.most_at_once == 1
    await cache.close()


async def test_what_was_embedded_before_a_cancellation_is_kept(tmp_path: Path, counting: CountingEmbedder) -> None:
    cache = await VectorCache.open(tmp_path / "vectors.db", counting)
    texts = [f"text {n}" for n in range(10)]
    third = asyncio.Event()
    work = asyncio.create_task(cache.vectors(texts, progress=lambda done: third.set() if done == 3 else None))
    await third.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    await cache.close()
    counting.embedded.clear()
    cache = await VectorCache.open(tmp_path / "vectors.db", counting)
    await cache.vectors(texts[:3])
    assert counting.embedded == []
    await cache.close()


async def test_progress_counts_up_to_all_of_the_texts(tmp_path: Path, counting: CountingEmbedder) -> None:
    cache = await VectorCache.open(tmp_path / "vectors.db", counting)
    await cache.vectors(["a"])
    told: list[int] = []
    await cache.vectors(["a", "b", "c"], progress=told.append)
    assert told == [2, 3]
    await cache.close()


async def test_its_file_does_not_grow_for_ever_and_what_it_forgot_is_embedded_again(
    tmp_path: Path, counting: CountingEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = 300_000
    monkeypatch.setattr(vector_cache, "_LARGEST_BYTES", bound)
    monkeypatch.setattr(counting, "embed_documents", lambda texts: [[0.5] * counting.dimension for _ in texts])
    cache = await VectorCache.open(tmp_path / "vectors.db", counting)
    for turn in range(20):
        texts = [f"text {turn} {n}" for n in range(64)]
        assert len(await cache.vectors(texts)) == 64
    with closing(sqlite3.connect(tmp_path / "vectors.db")) as file:
        (kept,) = file.execute("SELECT count(*) FROM vectors").fetchone()
    assert 50 < kept < 200
    assert (tmp_path / "vectors.db").stat().st_size < 2 * bound
    assert len(await cache.vectors([f"text 0 {n}" for n in range(64)])) == 64
    await cache.close()


async def test_a_cache_that_fails_costs_time_but_no_vector(tmp_path: Path, counting: CountingEmbedder) -> None:
    cache = await VectorCache.open(tmp_path / "vectors.db", counting)
    with sqlite3.connect(tmp_path / "vectors.db") as vandal:
        vandal.execute("DROP TABLE vectors")
    vandal.close()
    assert len(await cache.vectors(["a fee"])) == 1
    await cache.close()


async def test_a_file_of_something_else_is_refused_with_the_mend(tmp_path: Path, counting: CountingEmbedder) -> None:
    (tmp_path / "vectors.db").write_bytes(b"something else " * 100)
    with pytest.raises(ConfigurationError, match="delete it"):
        await VectorCache.open(tmp_path / "vectors.db", counting)
