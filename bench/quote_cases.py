"""The questions that quote is fitted to and judged by, each with the evidence for it from a real search.

A collection is a folder of bench/sets (a bank's documents with questions.jsonl beside them) or of bench/sets/quote_dev
(the documents and the questions in one folder; larkfield's documents are the sample bank's); some have more questions
in paraphrased.jsonl (as people talk), kinds.jsonl ("what options are there") and more.jsonl. `expect_all` or
`expect_any` are words that a right answer holds, `expect_not` words that it does not; a question whose `document` is
null has no answer in the documents; `history` or `messages` came before it.
"""

import asyncio
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teller.knowledge.index import Passage, Vector
from teller.knowledge.ingest import SAMPLE_BANK
from teller.knowledge.question import standalone_question
from teller.models.cross_encoder import CrossEncoder
from teller.models.quote.answer_choice import choose, is_part
from teller.models.quote.candidates import Candidate
from teller.models.quote.close_reading import read_closely
from teller.models.quote.everyday_words import plainly
from teller.models.quote.evidence import Evidence, Numbers, Prepared, weigh
from teller.models.quote.fitted_weights import Weights
from teller.models.quote.model import PASSAGES_TO_QUOTE
from teller.models.quote.prepared_passages import PreparedPassages
from teller.services import Services
from teller.settings import Settings

SETS = Path(__file__).parent / "sets"
_FILES = ("questions.jsonl", "paraphrased.jsonl", "kinds.jsonl", "more.jsonl")
_DOCUMENTS = {".md", ".txt", ".html"}
_OF_ONE_THING = {"fact", "table", "date", "yes_no"}  # kinds of questions


@dataclass(frozen=True)
class Case:
    """A question of a collection, the evidence for it, which candidates hold what is expected, and the vectors.

    `in_context` and `bare` are the candidates' vectors in the order of the evidence, `whole` and `last` the question's.
    """

    collection: str
    asked: dict[str, Any]
    question: str
    evidence: Evidence
    right: Numbers
    in_context: NDArray[np.float32]
    bare: NDArray[np.float32]
    whole: Vector
    last: Vector

    def verdict(self, weights: Weights) -> str:
        """Return what becomes of the question: right, declined or wrong."""
        answer = choose(self.evidence, weights)
        if answer is None:
            return "right" if self.asked["document"] is None else "declined"
        said = plain(answer.text)
        spoilt = any(plain(words) in said for words in self.asked.get("expect_not") or [])
        return "right" if _holds(self.asked, said) and not spoilt else "wrong"


def collections() -> dict[str, Path]:
    """Return the folders of the collections that quote is fitted to, by name; what is held out is none of them."""
    banks = [folder for folder in sorted(SETS.iterdir()) if (folder / "documents").is_dir()]
    return {folder.name: folder for folder in (*sorted((SETS / "quote_dev").iterdir()), *banks)}


async def cases_of(folder: Path, cross_encoder: CrossEncoder | None = None) -> list[Case]:
    """Return a collection's questions with their evidence, from an index that holds its documents alone.

    With a cross-encoder the evidence has what it says: of what it was not trained on, since it knows the rest by heart.
    """
    with TemporaryDirectory() as scratch:
        documents = Path(scratch) / "documents"
        documents.mkdir()
        for path in _documents(folder):
            await asyncio.to_thread(shutil.copy, path, documents)
        async with Services.opened(Settings(data_dir=Path(scratch) / "data", sample_bank="off")) as services:
            await services.ingester.ingest_path(documents)
            prepared = PreparedPassages(services.vectors)
            cases = [await _case(folder.name, asked, services, prepared) for asked in _questions(folder)]
    return [await _read(case, cross_encoder) for case in cases] if cross_encoder else cases


async def _read(case: Case, cross_encoder: CrossEncoder) -> Case:
    return replace(case, evidence=await read_closely(case.evidence, case.question, cross_encoder))


async def _case(collection: str, asked: dict[str, Any], services: Services, passages: PreparedPassages) -> Case:
    before = [turn["content"] for turn in asked.get("messages", []) if turn["role"] == "user"]
    searched = standalone_question([*asked.get("history", before), asked["question"]])
    vector = await services.search_queries.of_question(searched)
    found: Sequence[Passage] = await services.index.search(searched, vector, on=_today(), limit=PASSAGES_TO_QUOTE)
    prepared = await passages.of(found)
    question = plainly(searched)
    whole = await services.queries.vector(question)
    last = await services.queries.vector(question.splitlines()[-1])
    evidence = weigh(question, whole, last, prepared)
    order = {id(candidate): i for i, candidate in enumerate(c for one in prepared for c in one.candidates)}
    kept = [order[id(candidate)] for candidate in evidence.candidates]
    return Case(
        collection,
        asked,
        question,
        evidence,
        right_of(asked, evidence.candidates),
        _vectors(prepared, "in_context")[kept],
        _vectors(prepared, "bare")[kept],
        whole,
        last,
    )


def _vectors(prepared: Sequence[Prepared], name: str) -> NDArray[np.float32]:
    return np.concatenate([getattr(passage, name) for passage in prepared])


def _today() -> date:
    return datetime.now(UTC).date()


def _documents(folder: Path) -> Iterator[Path]:
    """Yield the files of a collection's documents."""
    if folder.name == "larkfield":
        folder = SAMPLE_BANK
    elif (folder / "documents").is_dir():
        folder /= "documents"
    yield from (path for path in sorted(folder.iterdir()) if path.suffix in _DOCUMENTS)


def _questions(folder: Path) -> Iterator[dict[str, Any]]:
    for file in (folder / name for name in _FILES):
        if file.is_file():
            yield from map(json.loads, file.read_text().splitlines())


def right_of(asked: dict[str, Any], candidates: Sequence[Candidate]) -> Numbers:
    """Return which candidates hold all that is expected, or where none does which hold some of it.

    A list is right where it was asked for or no item of it is: who asks for one thing is not to be told five.
    """
    texts = [plain(candidate.quotable.text) for candidate in candidates]
    all_of_it = np.array([_holds(asked, text) for text in texts], dtype=float)
    items = [c for c, is_right in zip(candidates, all_of_it, strict=True) if is_right and c.quotable.kind != "list"]
    if asked.get("kind") in _OF_ONE_THING:
        for i, one in enumerate(candidates):
            if one.quotable.kind == "list" and any(is_part(item, one) for item in items):
                all_of_it[i] = 0.0
    some_of_it = [any(words in text for words in expected_of(asked)) for text in texts]
    return all_of_it if all_of_it.any() else np.array(some_of_it, dtype=float)


def _holds(asked: dict[str, Any], text: str) -> bool:
    held = [words in text for words in expected_of(asked)]
    return bool(held) and (all(held) if asked.get("expect_all") else any(held))


def expected_of(asked: dict[str, Any]) -> list[str]:
    """Return the words that a right answer holds, as `plain` writes them."""
    return [plain(words) for words in asked.get("expect_all") or asked.get("expect_any") or []]


def plain(text: str) -> str:
    """Return a text as it is compared: in small letters, with single spaces."""
    return " ".join(text.casefold().replace("\u2019", "'").split())
