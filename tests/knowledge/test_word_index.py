"""Words to passages: the BM25 of the definition, whatever was added, changed and removed before."""

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teller.knowledge.fusion import FIELD_BOOSTS
from teller.knowledge.index import Passage
from teller.knowledge.word_index import WordIndex, counted_terms
from teller.knowledge.words import stems, telling_words

VOCABULARY = "fee card late travel loan rate gold abroad lounge cash".split()
TEXTS = st.lists(st.sampled_from(VOCABULARY), max_size=8).map(" ".join)
PASSAGES = st.builds(lambda title, section, text: passage(text, title, section), TEXTS, TEXTS, TEXTS)


def passage(text: str, title: str = "", section: str = "") -> Passage:
    return Passage("p", "d", "d.md", title, section, text)


@dataclass
class Kept:
    """An index beside the list of what is in it, None where a place is empty."""

    index: WordIndex = field(default_factory=WordIndex)
    passages: list[Passage | None] = field(default_factory=list)

    @property
    def alive(self) -> np.ndarray:
        return np.array([one is not None for one in self.passages], dtype=np.bool_)

    def append(self, added: list[Passage]) -> None:
        self.index.append([counted_terms(one) for one in added])
        self.passages += added

    def expected(self, words: list[str]) -> list[float]:
        there = [one for one in self.passages if one is not None]
        scores = [0.0] * len(self.passages)
        for name, boost in FIELD_BOOSTS.items():
            lengths = [len(stems(getattr(one, name))) for one in there]
            average = sum(lengths) / len(lengths) if lengths else 0
            for stem in (stem for word in words for stem in stems(word)):
                found = sum(stem in stems(getattr(one, name)) for one in there)
                weight = boost * math.log(1 + (len(there) - found + 0.5) / (found + 0.5))
                for place, one in enumerate(self.passages):
                    text = stems(getattr(one, name)) if one else []
                    if count := text.count(stem):
                        scores[place] += weight * count / (count + 1.2 * (0.25 + 0.75 * len(text) / average))
        return scores


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.one_of(st.lists(PASSAGES, min_size=1, max_size=5), st.integers(0, 30)), max_size=12),
    words=st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=4, unique=True),
    packed=st.booleans(),
)
def test_scores_are_those_of_the_definition_after_any_changes(
    steps: list[list[Passage] | int], words: list[str], packed: bool
) -> None:
    kept = Kept()
    for step in steps:
        if isinstance(step, list):
            kept.append(step)
        elif step < len(kept.passages):
            kept.passages[step] = None
    if packed:
        kept.index.keep(kept.alive)
        kept.passages = [one for one in kept.passages if one is not None]
    kept.index.settle(kept.alive)
    there = kept.alive
    assert kept.index.scores(words)[there] == pytest.approx(np.array(kept.expected(words))[there], abs=1e-5)


def test_words_are_found_in_any_inflection_and_without_their_accents() -> None:
    assert stems("Cards, carded: the CAFÉ's fees_list") == ["card", "card", "the", "cafe", "s", "fee", "list"]


def test_words_that_tell_nothing_are_not_asked_for() -> None:
    assert telling_words("What does the Gold card cost, and what the gold one?") == ["gold", "card", "cost", "one"]


def test_at_most_32_words_are_asked_for() -> None:
    assert len(telling_words(" ".join(f"word{n}" for n in range(100)))) == 32
