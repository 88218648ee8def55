"""What speaks for each quotable sentence as the answer to a question, and for there being no answer, in numbers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from teller.knowledge.index import Passage, Vector
from teller.models.answer_type import asked_type, holds
from teller.models.question_words import all_stems, matching, stems, weight
from teller.models.sentences import Quotable

Numbers = NDArray[np.float64]

FOR_EACH = (
    "in_context",  # cosine of the question with the sentence under its headings
    "bare",  # ... with the sentence alone
    "lately",  # how much nearer the last turn alone is than the whole question (0 without an earlier turn)
    "own",  # share of the question's weight that the sentence's words cover
    "elsewhere",  # share that other passages or sections cover, but not this sentence nor its headings
    "untyped",  # the question wants an amount, a time, ... and the sentence holds none
    "list_asked",  # a list, and a list was asked for
    "list_unasked",
    "row",  # a table row
    "opens",  # the passage's first sentence
    "first_passage",  # from the passage that the search ranked first
)
FOR_NONE = (
    "bias",
    "missing",  # share of the question's weight that occurs in no passage
    "rarest_missing",  # weight of the rarest word that occurs in no passage
    "missing_modifier",  # ... of one that stands before a word that does occur: the *platinum* card
    "missing_product",  # ... and after "the", "a", "your", where an amount or a rate is asked
    "best",  # the best cosine of any sentence
    "words",  # content words of the question, in fives
    "turns",  # whether an earlier turn is part of the question
    "stands_out",  # how many standard deviations the best cosine is above the mean
)
_EARLIER_TURN = 0.35  # what a word of an earlier turn counts beside one of the last turn
_NAMED = re.compile(r"\b(?:the|an?|your|my|this|that)\s+([\w'-]+)", re.IGNORECASE)
_ASKS_LIST = re.compile(
    r"\b(?:what|which)\b.*\b(?:documents?|papers?|paperwork|things|classes|options|ways|kinds|types|requirements|steps)\b"
    r"|\bwhat (?:all )?(?:do|should|must|will|can|would) i (?:\w+ ){0,4}?"
    r"(?:need|bring|show|have|prepare|provide|take)\b"
    r"|\bneed to (?:bring|show|have|provide)\b|\bhow (?:do|can|should|would) i\b|\blist\b|\brequirements?\b"
    r"|\bwhat .*\b(?:required|needed)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A quotable of a passage with the content words of its text (`own`) and of what it stands under (`context`)."""

    passage: Passage
    quotable: Quotable
    own: frozenset[str]
    context: frozenset[str]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A passage's candidates and the vectors of their texts, without (`bare`) and with their headings."""

    candidates: tuple[Candidate, ...]
    bare: NDArray[np.float32] = field(repr=False)
    in_context: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The candidates, a row of `FOR_EACH` for each, `FOR_NONE`, and where each word of the question was found."""

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
        question: one turn, or several on lines of their own of which the last one asks.
        whole: the question's vector.
        last: the vector of its last line alone (the same one, where there is but one line).
        prepared: the passages, best first, with at least one candidate among them.
    """
    candidates = tuple(candidate for passage in prepared for candidate in passage.candidates)
    words = _asked_words(question)
    found = matching(words, frozenset().union(*(c.own | c.context for c in candidates)))
    similar = np.concatenate([passage.in_context @ whole for passage in prepared])
    rows = np.zeros((len(candidates), len(FOR_EACH)))
    rows[:, 0] = similar
    rows[:, 1] = np.concatenate([passage.bare @ whole for passage in prepared])
    rows[:, 2] = np.concatenate([passage.in_context @ last for passage in prepared]) - similar
    rows[:, 3:5] = [_coverage(candidate, words, found) for candidate in candidates]
    rows[:, 5:10] = _form(question, candidates)
    rows[: len(prepared[0].candidates), 10] = 1.0
    return Evidence(candidates, rows, _for_none(question, words, found, similar), found)


def _asked_words(question: str) -> dict[str, float]:
    """Return the content words of a question with what they weigh; those of earlier turns count less."""
    *earlier, turn = question.splitlines()
    words = {word: _EARLIER_TURN * weight(word) for line in earlier for word in stems(line)}
    return words | {word: weight(word) for word in stems(turn)}


def _for_none(
    question: str, words: Mapping[str, float], found: Mapping[str, frozenset[str]], similar: NDArray[np.float32]
) -> Numbers:
    """Return `FOR_NONE`."""
    missing = [share for word, share in words.items() if not found[word]]
    *earlier, turn = question.splitlines()
    return np.array(
        [
            1.0,
            sum(missing) / (sum(words.values()) or 1.0),
            max(missing, default=0.0),
            *_missing_modifier(turn, found),
            similar.max(),
            len(words) / 5,
            bool(earlier),
            (similar.max() - similar.mean()) / (similar.std() + 1e-6),
        ]
    )


def _coverage(
    candidate: Candidate, words: Mapping[str, float], found: Mapping[str, frozenset[str]]
) -> tuple[float, float]:
    """Return the shares of the question's weight that the sentence covers, and that only something else covers."""
    total = sum(words.values()) or 1.0
    own = sum(share for word, share in words.items() if found[word] & candidate.own)
    here = candidate.own | candidate.context
    elsewhere = sum(share for word, share in words.items() if found[word] and not found[word] & here)
    return own / total, elsewhere / total


def _form(question: str, candidates: Sequence[Candidate]) -> Numbers:
    """Return the columns untyped, list_asked, list_unasked, row and opens."""
    kind = asked_type(question)
    wants_list = bool(_ASKS_LIST.search(question.splitlines()[-1]))
    form = np.zeros((len(candidates), 5))
    for i, quotable in enumerate(candidate.quotable for candidate in candidates):
        is_list = quotable.kind == "list"
        form[i] = (
            bool(kind) and not holds(kind, quotable.text),
            is_list and wants_list,
            is_list and not wants_list,
            quotable.kind == "row",
            quotable.place == 0,
        )
    return form


def _missing_modifier(turn: str, found: Mapping[str, frozenset[str]]) -> tuple[float, float]:
    """Return the weight of the rarest missing word right before a found one ("no *student* loan, but loans").

    The second value is the same for words that name a product whose price or rate is asked: "the *platinum* card".
    """
    named = {stems(words[1])[0] for words in _NAMED.finditer(turn) if stems(words[1])}
    nearby = {
        word: weight(word)
        for word, after in pairwise(all_stems(turn))
        if word in found and not found[word] and found.get(after)
    }
    priced = asked_type(turn) in {"amount", "price", "rate"}
    products = [share for word, share in nearby.items() if priced and word in named]
    return max(nearby.values(), default=0.0), max(products, default=0.0)
