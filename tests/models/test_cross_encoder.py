"""The cross-encoder: a question and a text read together."""

from pathlib import Path

import pytest

from teller.errors import ConfigurationError
from teller.models.cross_encoder import CrossEncoder

TEXTS = [
    "Lost cards. Replacement: A replacement for a lost card arrives in 5 to 7 business days.",
    "Lost cards. Replacement: Express delivery within 2 business days costs $20.",
    "Branches. Hours: Branches are open from 9 to 5.",
]


@pytest.fixture(scope="module")
def cross_encoder() -> CrossEncoder:
    return CrossEncoder()


@pytest.mark.parametrize(
    ("question", "best"),
    [("how long till my new card gets here", 0), ("what do you charge to hurry it up", 1), ("when do you shut", 2)],
)
async def test_what_answers_scores_highest_and_above_no_answer(
    cross_encoder: CrossEncoder, question: str, best: int
) -> None:
    scores = await cross_encoder.scores(question, TEXTS)
    assert int(scores.argmax()) == best
    assert scores[best] > 0


async def test_what_no_text_answers_scores_below_no_answer(cross_encoder: CrossEncoder) -> None:
    assert (await cross_encoder.scores("do you sell pet insurance", TEXTS) < 0).all()


async def test_a_text_scores_the_same_whatever_is_read_with_it(cross_encoder: CrossEncoder) -> None:
    together = await cross_encoder.scores("when do you shut", TEXTS)
    alone = [float((await cross_encoder.scores("when do you shut", [text]))[0]) for text in TEXTS]
    assert together.tolist() == alone


async def test_a_processor_without_vnni_scores_as_those_with_it(cross_encoder: CrossEncoder) -> None:
    """Where sums of int8 products are cut it is .68: such a processor is a test of this, any other passes."""
    (score,) = await cross_encoder.scores("how long does a wire take", ["A wire arrives in 1 to 5 business days."])
    assert score == pytest.approx(0.12, abs=0.2)


async def test_of_a_long_question_the_end_is_read_and_of_a_long_text_the_beginning(cross_encoder: CrossEncoder) -> None:
    end = "i have been with you for years and " * 20 + "/ when do you shut"
    texts = [TEXTS[2] + " We are here." * 1_000]
    scores = await cross_encoder.scores(end, texts)
    assert (await cross_encoder.scores("hello there " * 1_000 + end, texts)).tolist() == scores.tolist()
    assert (await cross_encoder.scores(end, [texts[0] + " Or not."])).tolist() == scores.tolist()
    assert (await cross_encoder.scores(end + " on sundays", texts)).tolist() != scores.tolist()
    assert (await cross_encoder.scores(end, ["Or not. " + texts[0]])).tolist() != scores.tolist()


@pytest.mark.parametrize("word", ["x ", "\U0001f4b3 ", "\ud55c\uae00", "  "])
async def test_whatever_a_question_is_made_of_it_is_read(cross_encoder: CrossEncoder, word: str) -> None:
    scores = await cross_encoder.scores(word * 1_000 + "when do you shut", [*TEXTS, word * 1_000])
    assert int(scores[:3].argmax()) == 2


async def test_nothing_to_read_has_no_scores(cross_encoder: CrossEncoder) -> None:
    assert (await cross_encoder.scores("when do you shut", [])).shape == (0,)


def test_a_file_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"another")
    with pytest.raises(ConfigurationError, match="restore it from the repository"):
        CrossEncoder(tmp_path)
