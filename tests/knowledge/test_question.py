"""Which turns mean little without those before them, and what is then searched for."""

import numpy as np
import pytest

from teller.knowledge.question import leans_on_history, standalone_question
from teller.models.embedder import OnnxEmbedder
from teller.models.query_vectors import QueryVectors


@pytest.mark.parametrize(
    "turn",
    [
        "and for the platinum one?",
        "What about weekends?",
        "for three years",
        "how long does that take",
        "how much do I need for a whole year then",
        "when would I get it",
        "the silver one",
        "what would I have to pay each month",
        "is the same possible for my husband too",
    ],
)
def test_a_turn_that_names_no_subject_of_its_own_leans_on_those_before(turn: str) -> None:
    assert leans_on_history(turn)
    assert standalone_question(["Tell me about parking permits.", turn]).startswith("Tell me about parking permits.")


@pytest.mark.parametrize(
    "turn",
    [
        "How much is a domestic wire transfer?",
        "What are the opening hours of your branches?",
        "I'd like to dispute a charge on my statement, can you help me do this",
        "do you offer mortgages",
    ],
)
def test_a_turn_with_a_subject_stands_alone(turn: str) -> None:
    assert not leans_on_history(turn)
    assert "parking" not in standalone_question(["Tell me about parking permits.", turn])


async def test_of_several_lines_the_last_counts_as_much_as_the_whole(embedder: OnnxEmbedder) -> None:
    queries = QueryVectors(embedder)
    question = "Tell me about the Gold card.\nand abroad?"
    found = await queries.of_question(question)
    whole, last = await queries.vector(question), await queries.vector("and abroad?")
    assert float(np.linalg.norm(found)) == pytest.approx(1.0, abs=1e-5)
    assert float(found @ whole) == pytest.approx(float(found @ last), abs=1e-5)
    assert await queries.of_question("and abroad?") is last
