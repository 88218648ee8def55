"""The evidence for every candidate sentence, and for "no answer": what is weighed, as numbers.

Cosines alone do not tell an answer from its neighbours, nor an answerable question from a near miss. What else speaks
for or against a sentence is put beside them here; `answer_choice` weighs it all with fitted weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from teller.knowledge.index import Vector
from teller.models.quote.agreement import FOR_AGREEMENT, agreements, has
from teller.models.quote.asked import Asked, read
from teller.models.quote.candidates import Candidate
from teller.models.quote.coverage import FOR_COVERAGE, FOR_LACKING, coverage, lacking
from teller.models.quote.form import FOR_FORM, form_of
from teller.models.quote.likeness import FOR_LIKENESS, likeness
from teller.models.quote.missing import FOR_MISSING, missing
from teller.models.quote.question_words import matching

Numbers = NDArray[np.float64]

_SIMILAR = (
    "in_context",  # cosine of the question with the sentence under its headings
    "bare",  # ... with the sentence alone
    "heading",  # ... with its headings alone
    "section",  # the best cosine of its section
    "lately",  # how much nearer what is asked last is than the whole question (0 without anything before it)
    "lately_leaning",  # ... where it leans on what was said before
)
FOR_EACH = _SIMILAR + FOR_LIKENESS + FOR_COVERAGE + FOR_LACKING + FOR_AGREEMENT + FOR_FORM
FOR_NONE = (
    "bias",
    *FOR_MISSING,
    "best",  # the best cosine of any sentence
    "typical",  # the mean cosine
    "best_lately",  # how much the best cosine rises with what is asked last alone
    "words",  # content words of the question, in fives
    "leans",  # whether an earlier turn is part of the question
    "story",  # whether there is anything before what is asked
    "stands_out",  # how many standard deviations the best cosine is above the mean
    "overview",  # whether an overview was asked for
    "turn_missing",  # share of the weight of what is asked last that occurs in no passage
    "turn_missing_leaning",  # ... where it leans on what was said before
    "unmet",  # terms, days and years of the question that no sentence and no row has
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A passage's candidates and the vectors of their texts, alone (`bare`), with their headings, and of these.

    `cells` are the vectors of the single cells of table rows, told with row and column, and `rows` says for each of
    them which candidate it belongs to: a whole row of many columns is near to no question.
    """

    candidates: tuple[Candidate, ...]
    bare: NDArray[np.float32] = field(repr=False)
    in_context: NDArray[np.float32] = field(repr=False)
    headings: NDArray[np.float32] = field(repr=False)
    cells: NDArray[np.float32] = field(repr=False)
    rows: tuple[int, ...] = field(repr=False)

    def similar(self, vector: Vector) -> NDArray[np.float32]:
        """Return the cosine of each candidate under its headings with a question; of a row, or of its nearest cell."""
        similar = self.in_context @ vector
        if self.rows:
            np.maximum.at(similar, list(self.rows), self.cells @ vector)
        return similar


@dataclass(frozen=True, slots=True)
class Evidence:
    """The candidates, a row of `FOR_EACH` for each, `FOR_NONE`, and where each word of the question was found.

    `cells` has for the table rows of three columns or more, by the identity of the candidate, the cosines of the
    question with their cells; `read` has what a cross-encoder made of those candidates that it read, by their number.
    """

    asked: Asked
    candidates: tuple[Candidate, ...]
    for_each: Numbers
    for_none: Numbers
    found: Mapping[str, frozenset[str]]
    cells: Mapping[int, NDArray[np.float32]]
    read: Mapping[int, float] = field(default_factory=dict)


def weigh(question: str, whole: Vector, last: Vector, prepared: Sequence[Prepared]) -> Evidence:
    """Return what speaks for each candidate and for none.

    Args:
        question: one line, or several of which the last one asks.
        whole: the question's vector.
        last: the vector of its last line alone (the same one, where there is but one line).
        prepared: the passages, best first, with at least one candidate among them.
    """
    asked = read(question)
    candidates = tuple(candidate for passage in prepared for candidate in passage.candidates)
    wanted = asked.words.keys() | asked.things.keys() | asked.topic.keys()
    found = matching(wanted, frozenset().union(*(c.own | c.context for c in candidates)))
    similar = _similarity(asked, candidates, whole, last, prepared)
    passages = [frozenset().union(*(c.own | c.context for c in passage.candidates)) for passage in prepared]
    covered = np.array(
        [
            coverage(candidate, asked, found, words)
            for passage, words in zip(prepared, passages, strict=True)
            for candidate in passage.candidates
        ]
    )
    titled = frozenset().union(*(candidate.context for candidate in candidates))
    lacks = np.array([lacking(candidate, asked, found, titled) for candidate in candidates])
    agreed = agreements(asked.facets, candidates)
    form = np.array([form_of(candidate, asked, found) for candidate in candidates])
    form[: len(prepared[0].candidates), -1] = 1.0
    kept = _openings(asked, candidates, found) if asked.wants_overview else range(len(candidates))
    rows = np.hstack([similar, covered, lacks, agreed, form])[kept]
    for_none = _for_none(asked, found, similar, prepared, passages)
    return Evidence(asked, tuple(candidates[i] for i in kept), rows, for_none, found, _similar_cells(prepared, whole))


def _similar_cells(prepared: Sequence[Prepared], whole: Vector) -> dict[int, NDArray[np.float32]]:
    similar: dict[int, NDArray[np.float32]] = {}
    for passage in (passage for passage in prepared if passage.rows):
        rows, cosines = np.array(passage.rows), passage.cells @ whole
        similar |= {id(passage.candidates[row]): cosines[rows == row] for row in np.unique(rows)}
    return similar


def _openings(asked: Asked, candidates: Sequence[Candidate], found: Mapping[str, frozenset[str]]) -> Sequence[int]:
    """Return which candidates open a section and speak of what an overview is asked of; all, where none does."""
    topics = [found[word] for word in asked.things if found[word]]
    opening = [
        i
        for i, candidate in enumerate(candidates)
        if candidate.quotable.opens and topics and all(t & (candidate.own | candidate.context) for t in topics)
    ]
    return opening or range(len(candidates))


def _similarity(
    asked: Asked, candidates: Sequence[Candidate], whole: Vector, last: Vector, prepared: Sequence[Prepared]
) -> Numbers:
    """Return the columns `_SIMILAR` and `FOR_LIKENESS`."""
    similar = np.concatenate([passage.similar(whole) for passage in prepared])
    sections: dict[tuple[int, str], float] = {}
    places = [(id(candidate.passage), candidate.quotable.context) for candidate in candidates]
    for place, cosine in zip(places, similar, strict=True):
        sections[place] = max(sections.get(place, -1.0), float(cosine))
    lately = np.concatenate([passage.similar(last) for passage in prepared]) - similar
    bare = np.concatenate([passage.bare for passage in prepared])
    columns = (
        similar,
        bare @ whole,
        np.concatenate([passage.headings for passage in prepared]) @ whole,
        [sections[place] for place in places],
        lately,
        lately * asked.leans,
        likeness(whole, last, np.concatenate([passage.in_context for passage in prepared]), bare),
    )
    return np.column_stack(columns).astype(np.float64)


def _for_none(
    asked: Asked,
    found: Mapping[str, frozenset[str]],
    similar: Numbers,
    prepared: Sequence[Prepared],
    passages: Sequence[frozenset[str]],
) -> Numbers:
    """Return `FOR_NONE`; `passages` are all words of each passage."""
    turn_missing = _turn_missing(asked, found)
    return np.array(
        [
            1.0,
            *missing(asked, found),
            *_standing(asked, similar),
            turn_missing,
            turn_missing * asked.leans,
            _unmet(asked, prepared, passages, found),
        ]
    )


def _standing(asked: Asked, similar: Numbers) -> tuple[float, ...]:
    """Return the columns best to overview of `FOR_NONE`."""
    whole = similar[:, 0]
    return (
        whole.max(),
        whole.mean(),
        (whole + similar[:, _SIMILAR.index("lately")]).max() - whole.max(),
        len(asked.words) / 5,
        asked.leans,
        asked.has_story,
        (whole.max() - whole.mean()) / (whole.std() + 1e-6),
        asked.wants_overview,
    )


def _turn_missing(asked: Asked, found: Mapping[str, frozenset[str]]) -> float:
    shares = {word: asked.words[word] for pair in asked.pairs for word in pair if word in asked.words}
    return sum(share for word, share in shares.items() if not found[word]) / (sum(shares.values()) or 1.0)


def _unmet(
    asked: Asked,
    prepared: Sequence[Prepared],
    passages: Sequence[frozenset[str]],
    found: Mapping[str, frozenset[str]],
) -> int:
    """Return how many facets that tell apart what is asked no passage on it has; other numbers are but told along.

    A passage is on it that has one of the things asked about, as far as any has: not the loan for the four years of a
    bond.
    """
    wanted = [facet for facet in asked.facets if facet.names or facet.kind in ("weekday", "date", "year")]
    things = [found[word] for word in (asked.things or asked.topic) if found[word]]
    on_it = [
        candidate
        for passage, words in zip(prepared, passages, strict=True)
        if not things or any(thing & words for thing in things)
        for candidate in passage.candidates
    ]
    return sum(not any(has(facet, candidate) for candidate in on_it) for facet in wanted)
