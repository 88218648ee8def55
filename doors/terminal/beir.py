"""A retrieval set in BEIR's three files, and the figures that such a set is judged by."""

import csv
import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from teller.errors import TellerError

CUTOFFS = (1, 5, 10, 20)
_GAIN_CUTOFF = 10


class BadSetError(TellerError):
    """A file of the set is not as BEIR has it; the message names the place."""


@dataclass(frozen=True, slots=True)
class BeirSet:
    """Documents as (title, text) by id, questions by id, and for each question the documents with their grade.

    Only questions that have a graded document are in it.
    """

    documents: Mapping[str, tuple[str, str]]
    questions: Mapping[str, str]
    grades: Mapping[str, Mapping[str, int]]

    @classmethod
    def read(cls, corpus: Path, queries: Path, qrels: Path) -> Self:
        """Read the files.

        Raises:
            BadSetError: a line is not as it must be, or nothing is left to ask.
        """
        documents = {
            _text(row, "_id", place): (str(row.get("title") or ""), _text(row, "text", place))
            for place, row in _json_lines(corpus)
        }
        grades = _grades(qrels)
        texts = {_text(row, "_id", place): _text(row, "text", place) for place, row in _json_lines(queries)}
        questions = {name: text for name, text in texts.items() if grades.get(name)}
        if not documents:
            raise BadSetError(f"{corpus} holds no document")
        if not questions:
            raise BadSetError(f"No question of {queries} has a document in {qrels}: are they of one set?")
        if not any(name in documents for asked in questions for name in grades[asked]):
            raise BadSetError(f"No document that {qrels} names is in {corpus}: are they of one set?")
        return cls(documents, questions, grades)


def figures(ranked: Mapping[str, Sequence[str]], grades: Mapping[str, Mapping[str, int]]) -> dict[str, float]:
    """Return recall at each cutoff, nDCG at 10 and the mean reciprocal rank, over all questions.

    Args:
        ranked: For each question the ids of the documents that were found, best first.
        grades: For each question the right documents with their grade, above 0.
    """
    sums: dict[str, float] = defaultdict(float)
    for asked, found in ranked.items():
        right = grades[asked]
        for cutoff in CUTOFFS:
            sums[f"recall@{cutoff}"] += len(right.keys() & set(found[:cutoff])) / len(right)
        ideal = sorted(right.values(), reverse=True)
        gained = _discounted([right.get(name, 0) for name in found[:_GAIN_CUTOFF]])
        sums[f"ndcg@{_GAIN_CUTOFF}"] += gained / _discounted(ideal[:_GAIN_CUTOFF])
        sums["mrr"] += next((1 / place for place, name in enumerate(found, 1) if name in right), 0.0)
    return {name: round(total / len(ranked), 4) for name, total in sums.items()}


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, 1))


def _json_lines(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(_lines(file), 1):
        if not line.strip():
            continue
        place = f"{file}, line {number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BadSetError(f"{place}: this is no JSON ({error})") from error
        if not isinstance(row, dict):
            raise BadSetError(f"{place}: this is no JSON object")
        yield place, row


def _text(row: dict[str, Any], field: str, place: str) -> str:
    value = row.get(field)
    if not isinstance(value, str) or (field == "_id" and not value):
        raise BadSetError(f'{place}: "{field}" must be a text')
    return value


def _grades(file: Path) -> dict[str, dict[str, int]]:
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for number, row in enumerate(csv.reader(_lines(file), delimiter="\t", quoting=csv.QUOTE_NONE), 1):
        if not row or (number == 1 and row[0] == "query-id"):
            continue
        try:
            asked, document, grade = row[0], row[1], int(row[2])
        except (IndexError, ValueError) as error:
            wanted = "a query's id, a document's id and a whole number, with tabs between them"
            raise BadSetError(f"{file}, line {number}: must be {wanted}") from error
        if grade > 0:
            grades[asked][document] = grade
    return grades


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise BadSetError(f"{file} cannot be read as UTF-8 text: {error}") from error
