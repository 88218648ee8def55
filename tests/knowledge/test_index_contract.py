"""What every knowledge index promises to whoever holds it (`teller/knowledge/index.py`), on real ones."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from teller.errors import ConfigurationError, SearchUnavailableError
from teller.knowledge.index import DocumentInfo, IndexStatus, KnowledgeIndex, Passage, Upsert
from teller.models.embedder import OnnxEmbedder
from tests.knowledge.openers import Opener
from tests.support.passages import CARDS, LOANS, TODAY, asked, document, ids, in_force, unit, vectors


@pytest.fixture
async def index(opener: Opener) -> AsyncIterator[KnowledgeIndex]:
    index = await opener.open()
    yield index
    await index.close()


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

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(question=st.one_of(st.text(), st.text(alphabet='"*^():-+{}.,\\_ABNOTEAR \x00\ud800')))
    async def test_no_text_of_a_caller_breaks_a_search(self, index: KnowledgeIndex, question: str) -> None:
        if not await index.documents():
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
        assert await index.delete() is False
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

    async def test_several_documents_are_put_in_place_of_their_former_selves(
        self, index: KnowledgeIndex, embedder: OnnxEmbedder
    ) -> None:
        await index.upsert(*document("loans", "the first", "the second", "the third", "the fourth"), None)
        await index.upsert_all([Upsert(*CARDS, None), Upsert(*LOANS, vectors(embedder, LOANS[1]))])
        assert await index.passages_of("cards") == CARDS[1]
        assert await index.passages_of("loans") == LOANS[1]
        assert await index.status() == IndexStatus(len(CARDS[1]) + len(LOANS[1]), with_vector=len(LOANS[1]))
        await index.upsert_all([])
        broken = Upsert(document("new", "a text")[0], [LOANS[1][0], LOANS[1][0]], None)
        with pytest.raises(SearchUnavailableError):
            await index.upsert_all([Upsert(*document("other", "a text"), None), broken])
        assert {one.document_id for one in await index.documents()} == {"cards", "loans"}

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
        self, index: KnowledgeIndex, opener: Opener, embedder: OnnxEmbedder
    ) -> None:
        other = await opener.open()
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

    async def test_of_two_that_write_a_document_at_once_one_counts_whole(
        self, index: KnowledgeIndex, opener: Opener
    ) -> None:
        other = await opener.open()
        for _ in range(5):
            here = document("cards", *(f"Ours, part {n}." for n in range(6)))
            there = document("cards", *(f"Theirs, part {n}." for n in range(4)))
            await asyncio.gather(index.upsert(*here, None), other.upsert(*there, None))
            (info,) = await index.documents()
            kept = [passage.text for passage in await other.passages_of("cards")]
            assert kept in ([p.text for p in here[1]], [p.text for p in there[1]])
            assert info.chunks == len(kept)
            assert await index.status() == IndexStatus(passages=len(kept), with_vector=0)
        await other.close()

    async def test_what_was_put_in_is_there_after_a_restart(
        self, index: KnowledgeIndex, opener: Opener, embedder: OnnxEmbedder
    ) -> None:
        await index.upsert(*CARDS, vectors(embedder, CARDS[1]))
        second = await opener.open()
        found = await second.search("lounge", asked(embedder, "airport lounge"), on=TODAY)
        assert ids(found)[0] == "cards-2"
        await second.close()

    async def test_another_embedder_is_refused_with_the_mend(
        self, index: KnowledgeIndex, opener: Opener, embedder: OnnxEmbedder
    ) -> None:
        with pytest.raises(ConfigurationError, match=r"bge-small.*the\s+embedder is now other.*EMBEDDING_MODEL"):
            await opener.open("other", embedder.dimension)
        with pytest.raises(ConfigurationError, match="384 dimensions"):
            await opener.open(embedder.name, 512)

    async def test_a_reader_meets_the_former_document_or_the_new_one_whole(
        self, index: KnowledgeIndex, opener: Opener
    ) -> None:
        other = await opener.open()
        editions = [document("rates", *(f"Edition {edition} part {n}." for n in range(8))) for edition in range(12)]
        await other.upsert(*editions[0], None)
        writing = asyncio.create_task(_write_all(other, editions[1:]))
        seen: list[set[str]] = []
        while not writing.done() or not seen:
            found = await index.search("edition part", None, on=TODAY, limit=20)
            assert len(found) == 8
            seen.append({passage.text.split()[1] for passage in found})
        await writing
        assert {len(editions) for editions in seen} == {1}
        assert [text.split()[1] for text in (p.text for p in await index.passages_of("rates"))] == ["11"] * 8
        await other.close()


async def _write_all(index: KnowledgeIndex, documents: list[tuple[DocumentInfo, list[Passage]]]) -> None:
    for made in documents:
        await index.upsert(*made, None)
