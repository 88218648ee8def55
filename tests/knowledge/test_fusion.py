"""How lists become one: OpenSearch's min-max and weighted mean, so that both indexes find the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teller.knowledge.fusion import fused

LISTS = st.dictionaries(st.integers(0, 20), st.floats(0, 50, width=32), max_size=12)


def test_scores_are_scaled_by_their_list_and_averaged_by_weight() -> None:
    found = fused([{"a": 0.9, "b": 0.7, "c": 0.5}, {"b": 12.0, "d": 4.0}], [3.0, 1.0])
    assert found == pytest.approx({"a": 0.75, "b": 0.375 + 0.25, "c": 0.75 * 0.001, "d": 0.25 * 0.001})


def test_a_passage_alone_in_its_list_is_its_best() -> None:
    assert fused([{"a": -0.2}, {}], [0.5, 0.5]) == {"a": 0.5}


@given(first=LISTS, second=LISTS)
def test_every_passage_is_there_with_a_score_above_0_and_at_most_1(
    first: dict[int, float], second: dict[int, float]
) -> None:
    found = fused([first, second], [0.75, 0.25])
    assert found.keys() == first.keys() | second.keys()
    assert all(0 < score <= 1.000001 for score in found.values())


@given(first=LISTS, second=LISTS, key=st.integers(0, 20))
def test_a_passage_that_fits_the_words_better_does_not_fall(
    first: dict[int, float], second: dict[int, float], key: int
) -> None:
    """Its own score does not get worse when it rises within the span of its list."""
    if key not in second or len(second) < 2:
        return
    best = max(second.values())
    others = {name: score for name, score in second.items() if name != key}
    if max(others.values()) < best or min(others.values()) > second[key]:
        return
    raised = second | {key: best}
    assert fused([first, raised], [0.75, 0.25])[key] >= fused([first, second], [0.75, 0.25])[key] - 1e-6
