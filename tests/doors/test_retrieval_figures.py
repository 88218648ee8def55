"""`teller eval retrieval`: BEIR's files in, figures out, and what is wrong with a file is said with its place."""

import json
import math
from pathlib import Path

import pytest

from doors.terminal.beir import BadSetError, BeirSet, figures
from tests.doors.test_terminal import teller

DOCUMENTS = {
    "d1": "The late fee on a credit card is $29.",
    "d2": "A home loan can be repaid early after three years.",
    "d3": "Branches are open on Saturday from 9 a.m.",
}
QUESTIONS = {
    "q1": "what does it cost when my card payment is late",
    "q2": "are you open at the weekend",
    "q3": "unused",
}
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td3\t2\nq2\td2\t0\nq9\td1\t1\n"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    lines = {
        "corpus": [json.dumps({"_id": name, "title": "", "text": text}) for name, text in DOCUMENTS.items()],
        "queries": [json.dumps({"_id": name, "text": text}) for name, text in QUESTIONS.items()],
    }
    for name, rows in lines.items():
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows) + "\n")
    (tmp_path / "qrels.tsv").write_text(QRELS)
    return {"corpus": tmp_path / "corpus.jsonl", "queries": tmp_path / "queries.jsonl", "qrels": tmp_path / "qrels.tsv"}


def test_the_figures_are_those_of_the_definitions() -> None:
    ranked = {"a": ["x", "r1", "y", "r2"], "b": ["r3"], "c": ["x"] * 10 + ["r4"]}
    grades = {"a": {"r1": 1, "r2": 2, "r5": 1}, "b": {"r3": 1}, "c": {"r4": 1}}
    told = figures(ranked, grades)
    assert told["recall@1"] == pytest.approx((0 + 1 + 0) / 3, abs=1e-4)
    assert told["recall@10"] == pytest.approx((2 / 3 + 1 + 0) / 3, abs=1e-4)
    assert told["recall@20"] == pytest.approx((2 / 3 + 1 + 1) / 3, abs=1e-4)
    assert told["mrr"] == pytest.approx((1 / 2 + 1 + 1 / 11) / 3, abs=1e-4)
    gained = 1 / math.log2(3) + 2 / math.log2(5)
    ideal = 2 + 1 / math.log2(3) + 1 / math.log2(4)
    assert told["ndcg@10"] == pytest.approx((gained / ideal + 1 + 0) / 3, abs=1e-4)


def test_only_questions_with_a_right_document_are_asked(files: dict[str, Path]) -> None:
    given = BeirSet.read(**files)
    assert set(given.questions) == {"q1", "q2"}
    assert given.grades["q2"] == {"d3": 2}
    assert given.documents["d1"] == ("", DOCUMENTS["d1"])


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("corpus", '{"_id": "d1", "text": "x"}\nnot json\n', r"corpus\.jsonl, line 2: this is no JSON"),
        ("corpus", "[1]\n", "line 1: this is no JSON object"),
        ("corpus", '{"_id": "d1"}\n', 'line 1: "text" must be a text'),
        ("corpus", "", "holds no document"),
        ("queries", '{"text": "x"}\n', 'line 1: "_id" must be a text'),
        ("queries", '{"_id": "q3", "text": "x"}\n', "are they of one set"),
        ("qrels", "q1\td1\n", r"qrels\.tsv, line 1: must be .* with tabs"),
        ("qrels", "q1 d1 1\n", "with tabs"),
        ("qrels", "q1\tgone\t1\n", "are they of one set"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_place(
    files: dict[str, Path], file: str, content: str, said: str
) -> None:
    files[file].write_text(content)
    with pytest.raises(BadSetError, match=said):
        BeirSet.read(**files)


def test_it_measures_on_an_index_of_its_own(files: dict[str, Path], data_dir: Path) -> None:
    before = {file.name for file in data_dir.iterdir()}
    options = [part for name, file in files.items() for part in (f"--{name}", str(file))]
    done = teller(data_dir, "eval", "retrieval", *options, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["recall@10"], told["mrr"], told["ndcg@10"], told["queries"]) == (1.0, 1.0, 1.0, 2)
    assert told["ms_per_query"] > 0
    assert "questions" in done.stderr
    assert {file.name for file in data_dir.iterdir()} == before


def test_a_bad_file_ends_it_with_one_line(files: dict[str, Path], data_dir: Path) -> None:
    files["qrels"].write_text("q1 d1 1\n")
    options = [part for name, file in files.items() for part in (f"--{name}", str(file))]
    done = teller(data_dir, "eval", "retrieval", *options)
    assert done.returncode == 1
    assert "with tabs between them" in done.stderr
    assert "Traceback" not in done.stderr
