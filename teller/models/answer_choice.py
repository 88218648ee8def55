"""Which sentences answer a question, or none: one softmax over the candidates and "no answer"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teller.models.answer_type import asked_type, holds
from teller.models.evidence import Candidate, Evidence
from teller.models.question_words import stems
from teller.models.sentences import told


@dataclass(frozen=True, slots=True)
class Weights:
    """What the numbers of the evidence count for, in the order of `FOR_EACH` and `FOR_NONE`."""

    each: NDArray[np.float64]
    none: NDArray[np.float64]


# Fitted by bench/calibrate_quote.py on bench/sets/quote_dev: 312 questions, 99 of them without an answer, over six
# collections (two banks, a bank's product sheets, a library, a clinic, a gym). Fit them again when a feature changes.
FITTED = Weights(
    each=np.array([25.21, 5.62, 16.84, 0.82, -2.12, -2.11, 1.16, -2.01, 0.45, 1.55, 1.19]),
    none=np.array([20.22, 0.25, 1.37, 1.42, 1.45, 10.19, -0.37, -4.56, -2.25]),
)
_SECOND = 2.0  # a second sentence is said when its logit is at most this far below the first one's
_COMPARES = re.compile(
    r"\b(?:compare[ds]?|comparison|differ\w*|versus|vs|better|cheaper|which|between)\b", re.IGNORECASE
)
_SIDES = re.compile(r"\b(?:and|or|versus|vs|with|to|than|from)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said, each part word for word a document's own, and the files it stands in."""

    parts: tuple[str, ...]
    filenames: tuple[str, ...]

    @property
    def text(self) -> str:
        """The parts as one text; a list or an item without a full stop keeps a line of its own."""
        text = ""
        for part in self.parts:
            alone = "\n" in part or (text and ("\n" in text or text[-1] not in '.!?”"'))
            text += ("\n" if alone else " ") + part if text else part
        return text


def choose(question: str, evidence: Evidence, weights: Weights = FITTED) -> Answer | None:
    """Return the answer, or None where the passages hold none."""
    for_each = evidence.for_each @ weights.each
    turn = question.splitlines()[-1]
    both = _side_by_side(turn, evidence, for_each) if _COMPARES.search(turn) else []
    if not both and for_each.max() <= evidence.for_none @ weights.none:
        return None
    chosen = [evidence.candidates[i] for i in both or _best(evidence.candidates, for_each)]
    parts = [part for candidate in chosen for part in _said(candidate, question, evidence)]
    return Answer(tuple(dict.fromkeys(parts)), tuple(dict.fromkeys(c.passage.filename for c in chosen)))


def _best(candidates: Sequence[Candidate], logits: NDArray[np.float64]) -> list[int]:
    """Return the best candidate, and a second one that comes close and says something else."""
    first, *others = (int(i) for i in np.argsort(-logits, kind="stable"))
    for second in others:
        if logits[second] < logits[first] - _SECOND or len(candidates[first].quotable.parts) > 1:
            break
        a, b = candidates[first], candidates[second]
        if len(b.quotable.parts) > 2 or "\n" in a.quotable.text + b.quotable.text:  # a list is enough by itself
            continue
        if not set(a.quotable.parts) & set(b.quotable.parts):
            follows = a.passage is b.passage and b.quotable.place == a.quotable.place - 1
            return [second, first] if follows else [first, second]
    return [first]


def _side_by_side(turn: str, evidence: Evidence, logits: NDArray[np.float64]) -> list[int]:
    """Return the two table rows that tell the two things compared, or nothing where no table has both."""
    for border in _SIDES.finditer(turn):
        before, after = stems(turn[: border.start()]), stems(turn[border.end() :])
        left = next((w for w in reversed(before) if w not in after and evidence.found.get(w)), None)
        right = next((w for w in after if w not in before and evidence.found.get(w)), None)
        if left and right:
            pairs = [
                (logits[i] + logits[j], i, j)
                for i in _rows_named(left, right, evidence)
                for j in _rows_named(right, left, evidence)
                if _same_table(evidence.candidates[i], evidence.candidates[j])
            ]
            if pairs:
                return list(max(pairs)[1:])
    return []


def _rows_named(word: str, other: str, evidence: Evidence) -> list[int]:
    """Return the table rows whose first cell holds one word and not the other."""
    rows = []
    for i, candidate in enumerate(evidence.candidates):
        name = set(stems(candidate.quotable.cells[0][1])) if candidate.quotable.cells else set()
        if name & evidence.found[word] and not name & evidence.found[other]:
            rows.append(i)
    return rows


def _same_table(a: Candidate, b: Candidate) -> bool:
    columns = [column for column, _ in a.quotable.cells], [column for column, _ in b.quotable.cells]
    return (
        a.passage is b.passage and a.quotable.context == b.quotable.context and bool(set(columns[0]) & set(columns[1]))
    )


def _said(candidate: Candidate, question: str, evidence: Evidence) -> tuple[str, ...]:
    """Return a candidate's parts; of a table row only the columns that were asked for, if some were."""
    if not candidate.quotable.cells:
        return candidate.quotable.parts
    name, *cells = candidate.quotable.cells
    asked = frozenset().union(*(evidence.found.get(word, frozenset()) for word in stems(question)))
    matches = [asked & set(stems(column)) for column, _ in cells]
    kind = asked_type(question)
    if any(matches):  # "annual fee" drops the column "foreign fee", which matches less of the same words
        cells = [
            cell for cell, match in zip(cells, matches, strict=True) if match and not any(match < m for m in matches)
        ]
    elif kind:
        cells = [cell for cell in cells if holds(kind, cell[1])] or cells
    return (told((name, *cells)),)
