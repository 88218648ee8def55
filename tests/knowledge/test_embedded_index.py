"""What the embedded index promises to whoever holds it (`teller/knowledge/index.py`), on a real file."""

import asyncio
import sqlite3
import sys
import threading
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from teller.errors import ConfigurationError, SearchUnavailableError
from teller.knowledge.embedded import EmbeddedIndex
from teller.knowledge.index import DocumentInfo, IndexStatus, KnowledgeIndex, Passage, Vector
from teller.models.embedder import OnnxEmbedder

TODAY = date(2026, 3, 1)
CHECKOUT = Path(__file__).parents[2]


def document(name: str, *texts: str, collection: str = "default") -> tuple[DocumentInfo, list[Passage]]:
    uploaded = datetime(2026, 2, 1, 12, 30, tzinfo=UTC)
    info = DocumentInfo(name, f"{name}.md", name.title(), collection, len(texts), "hash", None, None, uploaded)
    passages = [
        Passage(f"{name}-{place}", name, info.filename, info.title, "", text, collection)
        for place, text in enumerate(texts)
    ]
    return info, passages


def in_force(
    made: tuple[DocumentInfo, list[Passage]], effective: date | None = None, expires: date | None = None
) -> tuple[DocumentInfo, list[Passage]]:
    info, passages = made
    return (
        replace(info, effective=effective, expires=expires),
        [replace(passage, effective=effective, expires=expires) for passage in passages],
    )


def unit(embedder: OnnxEmbedder, place: int) -> Vector:
    vector = np.zeros(embedder.dimension, dtype=np.float32)
    vector[place] = 1.0
    return vector


def vectors(embedder: OnnxEmbedder, passages: list[Passage]) -> list[Vector]:
    return [np.asarray(v, np.float32) for v in embedder.embed_documents([p.embedding_text for p in passages])]


def asked(embedder: OnnxEmbedder, question: str) -> Vector:
    return np.asarray(embedder.embed_query(question), dtype=np.float32)


async def opened(path: Path, embedder: OnnxEmbedder) -> EmbeddedIndex:
    return await EmbeddedIndex.open(path, embedder.name, embedder.dimension)


def ids(passages: list[Passage]) -> list[str]:
    return [passage.passage_id for passage in passages]


CARDS = document(
    "cards",
    "The late fee on a credit card is $29.",
    "A lost card is replaced free of charge in 5 to 7 business days.",
    "The Travel Visa gives access to airport lounges twice a year.",
)
LOANS = document("loans", "A personal loan has a fixed rate from 7.49% APR.", "An early repayment costs nothing.")


class TestSearch:
    async def test_finds_by_meaning_where_no_word_is_shared(
        self, index: KnowledgeIndex, embedder: OnnxEmbedder
    ) -> None:
        for info, passages in (CARDS, LOANS):
            await index.upsert(info, passages, vectors(embedder, passages))
        question = "somebody stole my wallet, when do I get new plastic?"
        best, *rest = await index.search(question, asked(embedder, question), on=TODAY)
        assert best == replace(CARDS[1][1], score=best.score, similarity=best.similarity)
        assert best.similarity is not None
        assert best.similarity > 0.5
        scores = [passage.score for passage in [best, *rest]]
        assert len(scores) == 5
        assert scores == sorted(scores, reverse=True)

    async def test_similarity_is_the_cosine_whatever_the_lengths_of_the_vectors(
        self, index: KnowledgeIndex, embedder: OnnxEmbedder
    ) -> None:
        info, passages = document("a", "one", "two")
        await index.upsert(info, passages, [7 * unit(embedder, 0), unit(embedder, 1)])
        question = 3 * (unit(embedder, 0) + unit(embedder, 1)) * np.float32(0.5) + 4 * unit(embedder, 2)
        found = await index.search("", question, on=TODAY)
        expected = float(1.5 / np.linalg.norm(question))
        assert [passage.similarity for passage in found] == pytest.approx([expected, expected], abs=1e-6)

    async def test_words_decide_between_passages_of_like_meaning(
        self, index: KnowledgeIndex, embedder: OnnxEmbedder
    ) -> None:
        info, passages = document("a", "the first form", "the second form", "the third form")
        await index.upsert(info, passages, [unit(embedder, 0)] * 3)
        assert ids(await index.search("which is the second one", unit(embedder, 0), on=TODAY))[0] == "a-1"

    async def test_without_a_vector_finds_by_words_alone_in_any_inflection(self, index: KnowledgeIndex) -> None:
        await index.upsert(*CARDS, None)
        found = await index.search("What are your fees for cards replaced?", None, on=TODAY)
        assert set(ids(found)) == {"cards-0", "cards-1", "cards-2"}  # "cards" is their title
        assert found[0].similarity is None
        assert found[0].score > found[-1].score > 0

    async def test_a_question_without_a_telling_word_finds_nothing_by_words(self, index: KnowledgeIndex) -> None:
        await index.upsert(*CARDS, None)
        assert await index.search("what is it?", None, on=TODAY) == []

    async def test_title_and_section_count_as_words(self, index: KnowledgeIndex) -> None:
        info, (passage,) = document("mortgages", "It is 6.15%.")
        await index.upsert(info, [replace(passage, section="Thirty years")], None)
        assert ids(await index.search("mortgage", None, on=TODAY)) == ["mortgages-0"]
        assert ids(await index.search("thirty", None, on=TODAY)) == ["mortgages-0"]

    async def test_a_passage_that_waits_for_its_vector_is_found_by_its_words_meanwhile(
        self, index: KnowledgeIndex, embedder: OnnxEmbedder
    ) -> None:
        filler = document("filler", *(f"Paragraph {n} about something else." for n in range(20)))
        await index.upsert(*filler, vectors(embedder, filler[1]))
        await index.upsert(*CARDS, None)
        found = await index.search("airport lounge", asked(embedder, "airport lounge"), on=TODAY, limit=3)
        assert "cards-2" in ids(found)
        assert {passage.similarity is None for passage in found if passage.document_id == "cards"} == {True}

    async def test_no_more_than_the_limit_is_returned(self, index: KnowledgeIndex, embedder: OnnxEmbedder) -> None:
        await index.upsert(*CARDS, vectors(embedder, CARDS[1]))
        assert len(await index.search("card", asked(embedder, "card"), on=TODAY, limit=2)) == 2

    async def test_an_empty_index_finds_nothing(self, index: KnowledgeIndex, embedder: OnnxEmbedder) -> None:
        assert await index.search("card", asked(embedder, "card"), on=TODAY) == []

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(question=st.one_of(st.text(), st.text(alphabet='"*^():-+{}.,\\_ABNOTEAR \x00\ud800')))
    async def test_no_text_of_a_caller_breaks_a_search(self, index: KnowledgeIndex, question: str) -> None:
        await index.upsert(*CARDS, None)
        await index.search(question, None, on=TODAY)


class TestWhatIsInForce:
    @pytest.mark.parametrize(
        ("on", "found"),
        [
            (date(2025, 12, 31), False),
            (date(2026, 1, 1), True),
            (date(2026, 6, 30), True),
            (date(2026, 7, 1), False),
        ],
    )
    async def test_a_document_counts_from_its_effective_to_its_expiry_date_both_included(
        self, index: KnowledgeIndex, embedder: OnnxEmbedder, on: date, found: bool
    ) -> None:
        info, passages = in_force(CARDS, date(2026, 1, 1), date(2026, 6, 30))
        await index.upsert(info, passages, vectors(embedder, passages))
        for vector in (None, asked(embedder, "late fee")):
            assert bool(await index.search("late fee", vector, on=on)) is found

    async def test_what_is_not_in_force_takes_no_place_from_what_is(
        self, index: KnowledgeIndex, embedder: OnnxEmbedder
    ) -> None:
        old = in_force(document("old", *["The late fee is $25."] * 20), expires=date(2025, 12, 31))
        await index.upsert(*old, vectors(embedder, old[1]))
        await index.upsert(*CARDS, vectors(embedder, CARDS[1]))
        found = await index.search("late fee", asked(embedder, "late fee"), on=TODAY)
        assert ids(found)[0] == "cards-0"
        assert {passage.document_id for passage in found} == {"cards"}

    async def test_a_collection_can_be_asked_alone(self, index: KnowledgeIndex) -> None:
        await index.upsert(*document("a", "The fee is $1.", collection="cards"), None)
        await index.upsert(*document("b", "The fee is $2.", collection="loans"), None)
        assert ids(await index.search("fee", None, on=TODAY, collection="loans")) == ["b-0"]
        assert await index.search("fee", None, on=TODAY, collection="savings") == []
        assert len(await index.search("fee", None, on=TODAY)) == 2


class TestDocuments:
    async def test_a_document_and_its_passages_come_back_as_they_were_put_in(self, index: KnowledgeIndex) -> None:
        info, passages = in_force(CARDS, date(2026, 1, 1), date(2027, 1, 1))
        await index.upsert(info, passages, None)
        assert await index.documents() == [info]
        assert await index.passages_of("cards") == passages

    async def test_a_document_takes_the_place_of_its_former_self(
        self, index: KnowledgeIndex, embedder: OnnxEmbedder
    ) -> None:
        await index.upsert(*CARDS, vectors(embedder, CARDS[1]))
        await index.search("lounge", asked(embedder, "lounge"), on=TODAY)
        await index.upsert(*document("cards", "There are no more cards."), None)
        assert [info.chunks for info in await index.documents()] == [1]
        found = await index.search("lounge card", asked(embedder, "lounge"), on=TODAY)
        assert [passage.text for passage in found] == ["There are no more cards."]

    async def test_a_document_whose_successor_is_empty_is_found_no_more(
        self, index: KnowledgeIndex, embedder: OnnxEmbedder
    ) -> None:
        await index.upsert(*CARDS, vectors(embedder, CARDS[1]))
        await index.search("lounge", None, on=TODAY)
        await index.upsert(*document("cards"), None)
        assert await index.search("lounge", asked(embedder, "lounge"), on=TODAY) == []

    async def test_documents_are_listed_by_file_name(self, index: KnowledgeIndex) -> None:
        await index.upsert(*LOANS, None)
        await index.upsert(*CARDS, None)
        assert [info.filename for info in await index.documents()] == ["cards.md", "loans.md"]

    async def test_a_deleted_document_is_found_no_more(self, index: KnowledgeIndex, embedder: OnnxEmbedder) -> None:
        await index.upsert(*CARDS, vectors(embedder, CARDS[1]))
        assert await index.delete("cards") is True
        assert await index.delete("cards") is False
        assert await index.search("lounge", asked(embedder, "lounge"), on=TODAY) == []
        assert await index.documents() == []
        assert await index.passages_of("cards") == []

    async def test_it_remembers_that_it_once_held_something(self, index: KnowledgeIndex) -> None:
        await index.add_vectors({})
        await index.delete("nothing")
        assert await index.ever_held_anything() is False
        await index.upsert(*CARDS, None)
        await index.delete("cards")
        assert await index.ever_held_anything() is True

    async def test_a_document_that_cannot_be_written_whole_leaves_the_former_one(
        self, index: KnowledgeIndex, embedder: OnnxEmbedder
    ) -> None:
        await index.upsert(*CARDS, None)
        info, passages = document("cards", "new", "newer")
        with pytest.raises(SearchUnavailableError):
            await index.upsert(info, [passages[0], passages[0]], None)
        with pytest.raises(ValueError, match="shape"):
            await index.upsert(info, passages, [np.ones(3, dtype=np.float32)] * 2)
        with pytest.raises(ValueError, match="zip"):
            await index.upsert(info, passages, [unit(embedder, 0)])
        assert await index.passages_of("cards") == CARDS[1]


class TestVectorsThatFollow:
    async def test_passages_get_their_vectors_by_id_and_ids_that_are_gone_are_passed_over(
        self, index: KnowledgeIndex, embedder: OnnxEmbedder
    ) -> None:
        await index.upsert(*CARDS, None)
        assert await index.status() == IndexStatus(passages=3, with_vector=0)
        assert await index.without_vector() == CARDS[1]
        await index.search("lounge", unit(embedder, 0), on=TODAY)
        await index.add_vectors({"cards-1": unit(embedder, 0), "gone": unit(embedder, 1)})
        assert ids(await index.without_vector()) == ["cards-0", "cards-2"]
        assert await index.status() == IndexStatus(passages=3, with_vector=1)
        (found,) = await index.search("", unit(embedder, 0), on=TODAY)
        assert found.passage_id == "cards-1"
        assert found.similarity == pytest.approx(1.0)

    async def test_a_vector_that_comes_late_leaves_each_passage_its_own_words(
        self, index: KnowledgeIndex, embedder: OnnxEmbedder
    ) -> None:
        await index.upsert(*CARDS, None)
        await index.upsert(*LOANS, None)
        await index.search("lounge", None, on=TODAY)
        await index.add_vectors({"cards-0": unit(embedder, 0)})
        assert ids(await index.search("lounge", None, on=TODAY)) == ["cards-2"]
        assert ids(await index.search("repayment", None, on=TODAY)) == ["loans-1"]


class TestSeveralProcesses:
    async def test_one_sees_what_another_put_in_changed_and_deleted(
        self, index: KnowledgeIndex, index_file: Path, embedder: OnnxEmbedder
    ) -> None:
        other = await opened(index_file, embedder)
        vector = asked(embedder, "lounge")
        for info, passages in (LOANS, CARDS):
            await other.upsert(info, passages, vectors(embedder, passages))
        assert ids(await index.search("lounge", vector, on=TODAY))[0] == "cards-2"
        await other.upsert(*document("loans", "Loans now come with a lounge."), None)
        await other.delete("cards")
        assert ids(await index.search("lounge", vector, on=TODAY)) == ["loans-0"]
        await other.add_vectors({"loans-0": vector})
        (found,) = await index.search("lounge", vector, on=TODAY)
        assert found.similarity == pytest.approx(1.0)
        await other.close()

    async def test_many_may_open_a_new_file_at_once_and_write_to_it(
        self, index_file: Path, embedder: OnnxEmbedder
    ) -> None:
        code = (
            "import asyncio, pathlib, sys\n"
            "from tests.knowledge.test_embedded_index import EmbeddedIndex, document\n"
            "async def main(path, name):\n"
            f"    index = await EmbeddedIndex.open(pathlib.Path(path), {embedder.name!r}, {embedder.dimension})\n"
            "    for n in range(5):\n"
            "        await index.upsert(*document(f'{name}{n}', 'some text'), None)\n"
            "    await index.close()\n"
            "asyncio.run(main(*sys.argv[1:]))\n"
        )
        started = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(index_file), name, cwd=CHECKOUT)
            for name in "abc"
        ]
        assert [await process.wait() for process in started] == [0, 0, 0]
        index = await opened(index_file, embedder)
        assert len(await index.documents()) == 15
        assert len(await index.search("text", None, on=TODAY, limit=100)) == 15
        await index.close()

    async def test_a_search_does_not_wait_for_a_long_write(
        self, index: KnowledgeIndex, index_file: Path, embedder: OnnxEmbedder
    ) -> None:
        await index.upsert(*CARDS, None)
        writer = sqlite3.connect(index_file, isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM passages")
        found = await asyncio.wait_for(index.search("lounge", None, on=TODAY), timeout=2)
        assert ids(found) == ["cards-2"]
        writer.execute("ROLLBACK")
        writer.close()


class TestTheFile:
    async def test_another_embedder_is_refused_with_the_mend(
        self, index: KnowledgeIndex, index_file: Path, embedder: OnnxEmbedder
    ) -> None:
        with pytest.raises(ConfigurationError, match=r"bge-small.*but the embedder is now other.*EMBEDDING_MODEL"):
            await EmbeddedIndex.open(index_file, "other", embedder.dimension)
        with pytest.raises(ConfigurationError, match="384 dimensions"):
            await EmbeddedIndex.open(index_file, embedder.name, 512)

    async def test_a_file_of_something_else_is_refused_and_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "knowledge.db"
        path.write_bytes(b"something else " * 100)
        with pytest.raises(ConfigurationError, match=r"knowledge\.db cannot be used"):
            await EmbeddedIndex.open(path, "any", 3)
        assert path.read_bytes() == b"something else " * 100

    async def test_an_index_that_lost_its_tables_says_that_it_cannot_be_used(
        self, index: KnowledgeIndex, index_file: Path
    ) -> None:
        with sqlite3.connect(index_file) as vandal:
            vandal.execute("DROP TABLE meta")
        vandal.close()
        with pytest.raises(SearchUnavailableError):
            await index.search("card", None, on=TODAY)

    async def test_what_was_put_in_is_there_after_a_restart(self, index_file: Path, embedder: OnnxEmbedder) -> None:
        first = await opened(index_file, embedder)
        await first.upsert(*CARDS, vectors(embedder, CARDS[1]))
        await first.close()
        second = await opened(index_file, embedder)
        found = await second.search("lounge", asked(embedder, "airport lounge"), on=TODAY)
        assert ids(found)[0] == "cards-2"
        await second.close()


async def test_nothing_touches_the_file_on_the_thread_of_the_event_loop(
    index_file: Path, embedder: OnnxEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = set()

    class Watched(sqlite3.Connection):
        def execute(self, *args: Any) -> sqlite3.Cursor:
            threads.add(threading.current_thread())
            return super().execute(*args)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **kwargs: connect(*args, **kwargs, factory=Watched))
    index = await opened(index_file, embedder)
    await index.upsert(*CARDS, None)
    await index.search("card", unit(embedder, 0), on=TODAY)
    await index.close()
    assert threads
    assert threading.current_thread() not in threads
