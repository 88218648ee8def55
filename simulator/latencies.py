"""How long callers waited, and how much work was for nothing. Durations are milliseconds."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from simulator.report import CallReport


@dataclass(frozen=True, slots=True)
class Latencies:
    """Of some calls: each wait, and what became of the requests.

    `waits`: from the end of the caller's speech to the first word of the reply, endpointing included. `first_words`:
    from a request to the first word of its reply, where it was waited for. `cancelled_after`: from a request to the
    moment it was hung up on. `unheard`: requests that were answered whole, but whose answer nobody heard.
    """

    waits: Sequence[float]
    first_words: Sequence[float]
    cancelled_after: Sequence[float]
    requests: int
    unheard: int
    failed: int

    def summary(self) -> dict[str, float | int | None]:
        """Return the figures that a report shows."""
        return {
            "turns": len(self.waits),
            "wait_ms_p50": percentile(self.waits, 50),
            "wait_ms_p95": percentile(self.waits, 95),
            "first_word_ms_p50": percentile(self.first_words, 50),
            "first_word_ms_p95": percentile(self.first_words, 95),
            "requests": self.requests,
            "cancelled": len(self.cancelled_after),
            "cancelled_after_ms_p50": percentile(self.cancelled_after, 50),
            "unheard": self.unheard,
            "failed": self.failed,
        }


def latencies_of(reports: Iterable[CallReport]) -> Latencies:
    """Return the latencies of calls."""
    turns = [turn for report in reports for turn in report.turns]
    requests = [request for turn in turns for request in turn.requests]
    replies = [turn.requests[-1] for turn in turns if turn.requests]
    guesses = [request for turn in turns for request in turn.requests[:-1]]
    return Latencies(
        waits=[turn.wait_ms for turn in turns if turn.wait_ms is not None],
        first_words=[reply.first_word_ms for reply in replies if reply.first_word_ms is not None],
        cancelled_after=[request.took_ms for request in requests if request.cancelled and request.took_ms is not None],
        requests=len(requests),
        unheard=sum(not guess.cancelled and not guess.error for guess in guesses),
        failed=sum(request.error is not None for request in requests),
    )


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Return the smallest value that so many percent do not exceed; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
