"""The figures of calls, and their picture."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.latencies import latencies_of, percentile
from simulator.plot import rows_of, strips
from simulator.report import CallReport, RequestRecord, TurnRecord

SVG = "{http://www.w3.org/2000/svg}"
MILLISECONDS = st.lists(st.floats(0, 1e6), max_size=50)


def request(**what: object) -> RequestRecord:
    return RequestRecord("final", 0, "hello", 0.0, **{"took_ms": 500.0, "finish_reason": "stop", **what})  # type: ignore[arg-type]


def test_what_was_heard_cancelled_and_for_nothing_is_told_apart() -> None:
    cancelled = request(cancelled=True, took_ms=800.0)
    unheard = request(first_word_ms=90.0)
    heard = request(first_word_ms=120.0)
    refused = request(error="HTTP 503", status=503)
    turns = [
        TurnRecord(1, "hello", 1.0, [cancelled, unheard, heard], "Hi.", wait_ms=520.0),
        TurnRecord(2, "hello", 2.0, [refused]),
    ]
    found = latencies_of([CallReport("a", None, turns=turns)])
    assert (found.waits, found.first_words, found.cancelled_after) == ([520.0], [120.0], [800.0])
    assert (found.requests, found.unheard, found.failed) == (4, 1, 1)
    assert found.summary()["cancelled_after_ms_p50"] == 800.0


def test_of_no_calls_there_are_no_figures() -> None:
    assert set(latencies_of([]).summary().values()) == {0, None}


@given(MILLISECONDS.filter(bool), st.sampled_from([1, 50, 95, 100]))
def test_a_percentile_is_one_of_the_values_and_so_many_do_not_exceed_it(values: list[float], percent: int) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) >= len(values) * percent / 100
    assert sum(value < found for value in values) < max(len(values) * percent / 100, 1e-9)


@given(st.dictionaries(st.text("ab<&\"'", min_size=1), MILLISECONDS, max_size=6))
def test_every_value_is_a_dot_in_the_picture(rows: dict[str, list[float]]) -> None:
    picture = ElementTree.fromstring(strips("waits & more", rows))
    dots = picture.findall(f"{SVG}circle")
    assert len(dots) == sum(map(len, rows.values()))
    left, width = 200.0, float(picture.attrib["viewBox"].split()[2])
    assert all(left < float(dot.attrib["cx"]) < width for dot in dots)


def test_the_picture_of_a_call_has_three_rows() -> None:
    rows = rows_of(latencies_of([]))
    assert len(rows) == 3
    assert strips("nothing", rows).count("none") == 3


@pytest.mark.parametrize(("value", "text"), [(1234.0, "p50 1234, p95 1234, n 1"), (0.0, "p50 0, p95 0, n 1")])
def test_half_and_most_are_written_beside(value: float, text: str) -> None:
    assert text in strips("one", {"row": [value]})
