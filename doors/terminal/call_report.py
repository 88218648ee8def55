"""What `teller call` shows: the call while it goes on, and its summary."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from simulator.latencies import Latencies, latencies_of
from simulator.report import (
    AssistantHeard,
    CallerSpoke,
    CallReport,
    Check,
    Happening,
    Holders,
    RequestOver,
    RequestRecord,
)
from simulator.script import Script

_MOST_FAILURES = 20


@dataclass(frozen=True, slots=True)
class Played:
    """The calls that were made, and the ledger before and after, where it could be read."""

    reports: list[CallReport]
    ledger_before: Holders | None
    ledger_after: Holders | None

    @property
    def latencies(self) -> Latencies:
        """How long the callers waited."""
        return latencies_of(self.reports)

    @property
    def failed(self) -> list[Check]:
        """What was expected and was not so."""
        return [check for report in self.reports for check in report.failed]

    @property
    def unjudged(self) -> int:
        """How many expectations nobody could look at."""
        return sum(check.met is None for report in self.reports for check in report.checks)


class CallScreen:
    """Shows a call line by line, each with the seconds since it began."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, happening: Happening) -> None:
        """Show what happens."""
        match happening:
            case CallerSpoke(at, words):
                self._line(at, f"[bold cyan]caller[/]     {escape(words)}")
            case AssistantHeard(at, words, cut) if words:
                self._line(at, f"[bold green]assistant[/]  {escape(words)}{' [dim]— cut[/]' if cut else ''}")
            case RequestOver(at, request):
                self._line(at, f"[dim]{escape(told(request))}[/]")
            case Check(step, what, met, found) if met is False:
                self._console.print(f"{'':8}[bold red]✗ step {step}: {escape(what)}[/] — {escape(found)}")

    def _line(self, at: float, text: str) -> None:
        self._console.print(f"[dim]{at:6.2f}[/]  {text}", soft_wrap=True)


def told(request: RequestRecord) -> str:
    """Return a request in one line: what it was, when its first word came, and what became of it."""
    first = "no word" if request.first_word_ms is None else f"first word {request.first_word_ms:.0f} ms"
    if request.error:
        end = request.error
    elif request.cancelled:
        end = f"cancelled after {request.took_ms:.0f} ms"
    else:
        end = f"{request.finish_reason} after {request.took_ms:.0f} ms"
    calls = "".join(f", calls {call.name} {call.arguments}" for call in request.tool_calls)
    return f"· {request.kind} to replica {request.replica}: {first}, {end}{calls}"


def as_data(script: Script, played: Played) -> dict[str, Any]:
    """Return all that happened in a form for programs."""
    return {
        "script": script.name,
        "ok": not played.failed,
        "unjudged": played.unjudged,
        "latencies": played.latencies.summary(),
        "calls": [asdict(report) for report in played.reports],
        "ledger_before": played.ledger_before,
        "ledger_after": played.ledger_after,
    }


def show_summary(console: Console, script: Script, played: Played) -> None:
    """Show the latencies, what changed in the ledger, and what was not as expected."""
    console.print(_latencies(played.latencies))
    for change in _changes(played.ledger_before, played.ledger_after):
        console.print(change)
    for check in played.failed[:_MOST_FAILURES]:
        console.print(f"[bold red]✗ step {check.step}: {escape(check.what)}[/] — {escape(check.found)}", soft_wrap=True)
    if len(played.failed) > _MOST_FAILURES:
        console.print(f"… and {len(played.failed) - _MOST_FAILURES} more")
    console.print(_verdict(script.name or "script", played), soft_wrap=True, markup=False)


def _verdict(name: str, played: Played) -> str:
    checks, failed, unjudged = sum(len(report.checks) for report in played.reports), len(played.failed), played.unjudged
    calls = f"{len(played.reports)} call{'s' if len(played.reports) > 1 else ''}"
    unseen = f", {unjudged} not judged (no ledger to look at)" if unjudged else ""
    return f"{name}: {calls}, {checks - failed - unjudged} expectations met, {failed} not{unseen}"


def _latencies(latencies: Latencies) -> Table:
    table = Table("", "p50 ms", "p95 ms", "count")
    found = latencies.summary()
    table.add_row("end of speech to first word", *_figures(found["wait_ms_p50"], found["wait_ms_p95"], found["turns"]))
    heard = len(latencies.first_words)
    table.add_row("request to first word", *_figures(found["first_word_ms_p50"], found["first_word_ms_p95"], heard))
    table.add_row("cancelled after", *_figures(found["cancelled_after_ms_p50"], None, found["cancelled"]))
    table.add_row("answered, but not heard", *_figures(None, None, found["unheard"]))
    table.add_row("requests", *_figures(None, None, found["requests"]))
    return table


def _figures(*values: float | int | None) -> Iterator[str]:
    yield from ("-" if value is None else f"{value:.0f}" for value in values)


def _changes(before: Holders | None, after: Holders | None) -> Iterator[str]:
    """Yield what is another in the ledger than before, a line each."""
    if before is None or after is None:
        return
    known = {holder["phone"]: holder for holder in before}
    both = [(known[holder["phone"]], holder) for holder in after if holder["phone"] in known]
    yield from [_change(old, new) for old, new in both if old != new] or ["ledger: nothing changed"]


def _change(before: dict[str, Any], after: dict[str, Any]) -> str:
    states = {card["last4"]: card["state"] for card in before["cards"]}
    moves = [
        f"{card['last4']} {states.get(card['last4'], 'new')} → {card['state']}"
        for card in after["cards"]
        if states.get(card["last4"]) != card["state"]
    ]
    writes = after["writes"] - before["writes"]
    return f"ledger: {after['phone']} {', '.join(moves) or 'as before'}, writes {writes}, PIN {after['pin']}"
