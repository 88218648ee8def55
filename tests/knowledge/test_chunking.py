"""How a document is cut into passages: by its structure, within what the embedder reads, and without losing a word."""

import re
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teller.errors import DocumentRejectedError
from teller.knowledge.chunking import chunk, document_id
from teller.knowledge.index import Passage
from teller.knowledge.loading import load
from teller.models.embedder import OnnxEmbedder

READ_BY_THE_EMBEDDER = 254  # of 256 tokens, two frame the text


def cut(embedder: OnnxEmbedder, text: str, title: str = "Fees") -> list[Passage]:
    return chunk(load("fees.md", f"---\ntitle: {title}\n---\n{text}".encode()), "cards", embedder.count_tokens)


def prose(sentences: int) -> str:
    return " ".join(f"Sentence number {n} tells the customer something about fee {n}." for n in range(sentences))


class TestSections:
    def test_a_passage_of_one_section_is_named_by_it(self, embedder: OnnxEmbedder) -> None:
        (passage,) = cut(embedder, "## Late payment\n\nThe late fee is $29.")
        assert (passage.title, passage.section, passage.text) == ("Fees", "Late payment", "The late fee is $29.")

    def test_small_neighbours_share_a_passage_and_keep_their_headings_as_lines(self, embedder: OnnxEmbedder) -> None:
        (passage,) = cut(embedder, "Lead.\n\n## Late payment\n\nThe fee is $29.\n\n## Cash\n\n### Abroad\n\nIt is 5%.")
        assert passage.section == ""
        assert passage.text == "Lead.\n\n## Late payment\nThe fee is $29.\n\n## Cash: Abroad\nIt is 5%."

    def test_sections_that_do_not_fit_together_stay_whole_each_in_its_own_passage(self, embedder: OnnxEmbedder) -> None:
        passages = cut(embedder, f"## One\n\n{prose(14)}\n\n## Two\n\n{prose(15)}")
        assert [(passage.section, passage.text) for passage in passages] == [("One", prose(14)), ("Two", prose(15))]

    def test_what_the_embedder_can_read_whole_is_not_cut(self, embedder: OnnxEmbedder) -> None:
        (passage,) = cut(embedder, f"## One\n\n{prose(11)}\n\n## Two\n\n{prose(11)}")
        assert 244 < embedder.count_tokens(passage.embedding_text) <= READ_BY_THE_EMBEDDER

    def test_a_long_section_is_cut_between_sentences_and_its_pieces_overlap_by_one(
        self, embedder: OnnxEmbedder
    ) -> None:
        passages = cut(embedder, f"## One\n\n{prose(60)}")
        assert {passage.section for passage in passages} == {"One"}
        assert len(passages) > 2
        for before, after in pairwise(passages):
            assert before.text.endswith(".")
            assert after.text.startswith("Sentence number")
            assert before.text.split(". ")[-1].rstrip(".") == after.text.split(". ")[0]

    def test_passages_are_as_long_as_they_usefully_can_be(self, embedder: OnnxEmbedder) -> None:
        *full, _ = cut(embedder, f"## One\n\n{prose(100)}")
        assert all(230 <= embedder.count_tokens(passage.embedding_text) <= READ_BY_THE_EMBEDDER for passage in full)


class TestTables:
    ROWS = tuple(f"| Fee {n} for a service of the bank | ${n}.00 | All cards and accounts |" for n in range(40))

    def test_a_long_table_is_cut_between_rows_and_every_piece_has_the_header(self, embedder: OnnxEmbedder) -> None:
        table = "\n".join(["| Fee | Amount | Which |", "|---|---|---|", *self.ROWS])
        passages = cut(embedder, f"## All fees\n\nThese are the fees:\n\n{table}")
        assert len(passages) > 2
        for passage in passages:
            assert "| Fee | Amount | Which |\n|-|-|-|\n| Fee" in passage.text
        rows = [line for passage in passages for line in passage.text.split("\n") if re.match(r"\| Fee \d", line)]
        assert tuple(rows) == self.ROWS

    def test_a_table_that_fits_in_a_passage_is_not_torn(self, embedder: OnnxEmbedder) -> None:
        table = "\n".join(["| Fee | Amount | Which |", "|-|-|-|", *self.ROWS[:5]])
        passages = cut(embedder, f"## All fees\n\n{prose(12)} These are the fees:\n\n{table}\n\n{prose(12)}")
        assert len(passages) > 1
        (whole,) = [passage for passage in passages if self.ROWS[0] in passage.text]
        assert f"These are the fees:\n\n{table}" in whole.text

    def test_a_row_longer_than_a_passage_loses_nothing(self, embedder: OnnxEmbedder) -> None:
        row = "| " + " ".join(f"word{n}" for n in range(400)) + " |"
        words = " ".join(passage.text for passage in cut(embedder, f"| Header |\n|---|\n{row}\n| last |")).split()
        assert {f"word{n}" for n in range(400)} <= set(words)


class TestLists:
    ITEMS = tuple(f"- Bring paper number {n} of your many papers" for n in range(60))

    def test_a_list_that_fits_in_a_passage_is_not_torn(self, embedder: OnnxEmbedder) -> None:
        items = "\n".join(self.ITEMS[:6])
        passages = cut(embedder, f"## Papers\n\n{prose(14)} You need:\n\n{items}\n\n{prose(10)}")
        (whole,) = [passage for passage in passages if self.ITEMS[0] in passage.text]
        assert f"You need:\n\n{items}" in whole.text

    def test_a_long_list_is_cut_between_items_and_its_lead_in_is_repeated(self, embedder: OnnxEmbedder) -> None:
        passages = cut(embedder, "## Papers\n\nYou need:\n\n" + "\n".join(self.ITEMS))
        assert len(passages) > 2
        assert all(passage.text.startswith("You need:") for passage in passages)
        items = [line for passage in passages for line in passage.text.split("\n") if line.startswith("- ")]
        assert tuple(items) == self.ITEMS


class TestIdentity:
    def test_ids_depend_on_nothing_but_collection_file_name_and_text(self, embedder: OnnxEmbedder) -> None:
        text = f"## One\n\n{prose(60)}"
        assert cut(embedder, text) == cut(embedder, text)
        assert document_id("cards", "fees.md") == cut(embedder, text)[0].document_id
        assert document_id("cards", "fees.md") != document_id("loans", "fees.md")

    def test_a_passage_whose_text_changed_has_another_id(self, embedder: OnnxEmbedder) -> None:
        (old,), (new,) = cut(embedder, "The fee is $29."), cut(embedder, "The fee is $30.")
        assert old.passage_id != new.passage_id
        assert old.document_id == new.document_id

    def test_ids_are_unique_even_where_the_text_repeats(self, embedder: OnnxEmbedder) -> None:
        passages = cut(embedder, "\n\n".join(f"## Same\n\n{prose(12)}" for _ in range(4)))
        assert len({passage.passage_id for passage in passages}) == len(passages) == 4

    def test_every_passage_knows_where_it_comes_from_and_when_it_is_in_force(self, embedder: OnnxEmbedder) -> None:
        data = b"---\ntitle: T\neffective: 2026-01-01\nexpires: 2026-06-30\n---\nText."
        (passage,) = chunk(load("t.md", data), "rates", embedder.count_tokens)
        assert (passage.filename, passage.collection) == ("t.md", "rates")
        assert (passage.effective, passage.expires) == (date(2026, 1, 1), date(2026, 6, 30))


LINES = st.one_of(
    st.text(max_size=200),
    st.text(alphabet="ab .,|-#*\t1é中한", max_size=400),
    st.sampled_from(
        ["", "", "## Heading", "# Top", "- item", "| a | b |", "|---|---|", "```", "A sentence. Another one."]
    ),
    st.integers(1, 300).map(lambda n: " ".join(f"word{i}" for i in range(n))),
    st.integers(1, 3000).map(lambda n: "x" * n),
    st.integers(1, 400).map(lambda n: "## " + "heading " * n),
)


def words(text: str) -> list[str]:
    """The words as a reader sees them: Markdown's own marks are not words."""
    return re.findall(r"\w+", re.sub(r"[-|#*_]+", " ", text))


@settings(max_examples=80, deadline=None)
@given(title=st.text(max_size=300), lines=st.lists(LINES, max_size=30))
def test_of_any_text_no_passage_exceeds_what_the_embedder_reads_and_no_word_is_lost(
    embedder: OnnxEmbedder, title: str, lines: list[str]
) -> None:
    text = "\n".join(lines)
    try:
        document = load(f"{title}.md", text.encode("utf-8", "ignore"))
    except DocumentRejectedError:
        return
    passages = chunk(document, "default", embedder.count_tokens)
    for passage in passages:
        assert embedder.count_tokens(passage.embedding_text) <= READ_BY_THE_EMBEDDER
    named = " ".join([document.title, *(passage.section for passage in passages)])
    texts = "\n".join(passage.text for passage in passages)
    # A word too long for a passage is cut: its pieces stand side by side once headings and white space are taken away.
    read = "".join(words(f"{named}\n{texts}")), "".join(words(re.sub(r"(?m)^## .*$", "", texts)))
    assert [word for word in words(text) if word not in read[0] and word not in read[1]] == []


@pytest.mark.parametrize(
    "text", ["x" * 20_000, "한" * 5_000, "1 " * 5_000, "| " + "cell | " * 3_000, "- " * 3_000 + "a"]
)
def test_even_text_without_any_border_is_cut_to_size(embedder: OnnxEmbedder, text: str) -> None:
    passages = cut(embedder, text)
    assert max(embedder.count_tokens(passage.embedding_text) for passage in passages) <= READ_BY_THE_EMBEDDER
    assert max(len(passage.text) for passage in passages) < 4_000
    assert sum(passage.text.count(text[0]) for passage in passages) >= text.count(text[0])


@pytest.mark.parametrize(
    ("title", "heading"), [("한" * 100, "Fees"), ("Fees", "한" * 140), ("a-" * 59, "b-" * 70), ("x " * 55, "y " * 70)]
)
def test_a_title_or_heading_of_many_tokens_leaves_room_for_the_text(
    embedder: OnnxEmbedder, title: str, heading: str
) -> None:
    passages = cut(embedder, f"## {heading}\n\n{prose(60)}", title)
    assert all(embedder.count_tokens(passage.embedding_text) <= READ_BY_THE_EMBEDDER for passage in passages)
    assert all(embedder.count_tokens(passage.text) > 100 for passage in passages[:-1])
    assert passages[0].title
    assert heading.strip() in passages[0].section + passages[0].text
