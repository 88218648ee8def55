"""The evidence for every candidate sentence, and for "no answer": what is weighed, as numbers.

Cosines alone do not tell an answer from its neighbours, nor an answerable question from a near miss. What else speaks
for or against a sentence is put beside them here; `answer_choice` weighs it all with fitted weights.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from teller.knowledge.index import Passage, Vector
from teller.models.answer_type import holds
from teller.models.asked import Asked, read
from teller.models.missing import FOR_MISSING, missing
from teller.models.question_words import matching, stems
from teller.models.sentences import Quotable

Numbers = NDArray[np.float64]

_SIMILAR = (
    "in_context",  # cosine of the question with the sentence under its headings
    "bare",  # ... with the sentence alone
    "heading",  # ... with its headings alone
    "section",  # the best cosine of its section
    "lately",  # how much nearer what is asked last is than the whole question (0 without anything before it)
    "lately_leaning",  # ... where it leans on what was said before
)
_WORDS = (
    "own",  # share of the question's weight that the sentence's words cover
    "headed",  # share that only its headings cover
    "elsewhere",  # share that other passages or sections cover, but not this sentence nor its headings
)
_FORM = (
    "untyped",  # the question wants an amount, a time, ... and the sentence holds none
    "list_asked",  # a list, and a list was asked for
    "steps_asked",  # a list, and the steps of something were asked for
    "list_unasked",
    "step_alone",  # one item, where a list or steps were asked for
    "row",  # a table row
    "opens",  # the first sentence of its section
    "overview_plain",  # where an overview was asked for: says what the thing is, not what to do with it, or when
    "overview_named",  # ... and stands under headings that name all of it
    "how_headed",  # steps were asked for, and a heading says that it tells them
    "in_range",  # a table row whose name is a range of numbers that one of the question lies in
    "first_passage",  # from the passage that the search ranked first
)
FOR_EACH = _SIMILAR + _WORDS + _FORM
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
)


_TO_DO = re.compile(r"(?:To|If|When|Before|After|For|Once|You (?:can|may|must|need))\b")
_HOW_TO = re.compile(r"\bHow (?:to|do I|can I|you)\b", re.IGNORECASE)
_RANGE = re.compile(r"(\d[\d,.]*)\s*(?:to|-|\u2013)\s*(\d[\d,.]*)")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A quotable of a passage with the content words of its text (`own`) and of what it stands under (`context`)."""

    passage: Passage
    quotable: Quotable
    own: frozenset[str]
    context: frozenset[str]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A passage's candidates and the vectors of their texts, alone (`bare`), with their headings, and of these."""

    candidates: tuple[Candidate, ...]
    bare: NDArray[np.float32] = field(repr=False)
    in_context: NDArray[np.float32] = field(repr=False)
    headings: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The candidates, a row of `FOR_EACH` for each, `FOR_NONE`, and where each word of the question was found."""

    asked: Asked
    candidates: tuple[Candidate, ...]
    for_each: Numbers
    for_none: Numbers
    found: Mapping[str, frozenset[str]]


def candidates_of(passage: Passage, quotables: Sequence[Quotable]) -> tuple[Candidate, ...]:
    """Return a passage's quotables with their words."""
    return tuple(
        Candidate(passage, quotable, frozenset(stems(quotable.text)), frozenset(stems(quotable.context)))
        for quotable in quotables
    )


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
    wanted = asked.words.keys() | asked.things.keys()
    found = matching(wanted, frozenset().union(*(c.own | c.context for c in candidates)))
    similar = _similarity(asked, candidates, whole, last, prepared)
    covered = np.array([_coverage(candidate, asked, found) for candidate in candidates])
    form = np.array([_form(candidate, asked, found) for candidate in candidates])
    form[: len(prepared[0].candidates), -1] = 1.0
    kept = _openings(asked, candidates, found) if asked.wants_overview else range(len(candidates))
    for_none = [
        1.0,
        *missing(asked, found),
        *_standing(asked, similar),
    ]
    rows = np.hstack([similar, covered, form])[kept]
    return Evidence(asked, tuple(candidates[i] for i in kept), rows, np.array(for_none), found)


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
    """Return the columns `_SIMILAR`."""
    in_context = np.concatenate([passage.in_context for passage in prepared])
    similar = in_context @ whole
    sections: dict[tuple[int, str], float] = {}
    places = [(id(candidate.passage), candidate.quotable.context) for candidate in candidates]
    for place, cosine in zip(places, similar, strict=True):
        sections[place] = max(sections.get(place, -1.0), float(cosine))
    lately = in_context @ last - similar
    columns = (
        similar,
        np.concatenate([passage.bare for passage in prepared]) @ whole,
        np.concatenate([passage.headings for passage in prepared]) @ whole,
        [sections[place] for place in places],
        lately,
        lately * asked.leans,
    )
    return np.column_stack(columns).astype(np.float64)


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


def _coverage(candidate: Candidate, asked: Asked, found: Mapping[str, frozenset[str]]) -> tuple[float, ...]:
    """Return the columns `_WORDS`."""
    total = sum(asked.words.values()) or 1.0
    here = candidate.own | candidate.context
    own = sum(share for word, share in asked.words.items() if found[word] & candidate.own)
    headed = sum(share for word, share in asked.words.items() if found[word] & here) - own
    elsewhere = sum(share for word, share in asked.words.items() if found[word] and not found[word] & here)
    return own / total, headed / total, elsewhere / total


def _form(candidate: Candidate, asked: Asked, found: Mapping[str, frozenset[str]]) -> tuple[float, ...]:
    """Return the columns `_FORM`; the last one is filled in by the caller."""
    quotable = candidate.quotable
    is_list, overview = quotable.kind == "list", asked.wants_overview
    return (
        bool(asked.kind) and not holds(asked.kind, quotable.text),
        is_list and asked.wants_list,
        is_list and asked.wants_steps,
        is_list and not (asked.wants_list or asked.wants_steps or asked.may_be_list),
        quotable.kind == "item" and (asked.wants_list or asked.wants_steps),
        quotable.kind == "row",
        quotable.opens,
        overview and not _TO_DO.match(quotable.text),
        overview and all(found[word] & candidate.context for word in asked.things),
        asked.wants_steps and bool(_HOW_TO.search(quotable.context)),
        bool(quotable.cells) and _in_range(asked, quotable.cells[0][1]),
        0.0,
    )


def _in_range(asked: Asked, name: str) -> bool:
    """Return whether a number of the question lies in a range such as "700 to 739"."""
    ranges = [(_number(low), _number(high)) for low, high in _RANGE.findall(name)]
    numbers = [_number(word) for word in asked.words if word[0].isdigit()]
    return any(low <= number <= high for low, high in ranges for number in numbers)


def _number(digits: str) -> float:
    """Return the number that digits with commas and points begin with."""
    whole, _, rest = digits.replace(",", "").partition(".")
    return float(f"{whole}.{rest.partition('.')[0]}0")
