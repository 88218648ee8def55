"""teller eval: how well turns are understood and questions are answered, on anybody's data."""

import asyncio
import json
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from teller.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Measure how turns are understood and questions are answered.")

ANSWERS = Path(__file__).parents[2] / "bench" / "sets" / "answers.jsonl"


@app.command()
def routing(
    file: Annotated[Path, typer.Argument(exists=True, help='Lines of {"text" or "messages", "route", "accept"}.')],
    errors: Annotated[bool, typer.Option(help="Show what was misunderstood.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Measure routing: strict (the route is the wanted one), lenient (it is an accepted one), and ms a turn."""
    from doors.terminal.routing_report import measure_routing
    from teller.telemetry import set_up_logging

    set_up_logging("warning")
    report = asyncio.run(measure_routing(Settings.load(), file))
    if as_json:
        print(json.dumps(report.figures(), indent=2))
        return
    console = Console()
    console.print(report.table())
    for name, value in report.figures().items():
        console.print(f"{name}: {value}", highlight=False)
    if errors:
        console.print(report.errors())


@app.command()
def answers(
    file: Annotated[
        Path, typer.Argument(exists=True, help='Lines of {"question", "expect_any", "document"[, "messages"]}.')
    ] = ANSWERS,
    documents: Annotated[
        Path | None, typer.Option(exists=True, help="Ask these documents alone, and not the configured index.")
    ] = None,
    errors: Annotated[bool, typer.Option(help="Show what was not answered rightly.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Measure answers, end to end: right, declined though the documents hold it, wrong."""
    from doors.terminal.answers_report import measure_answers
    from teller.telemetry import set_up_logging

    set_up_logging("warning")
    results = asyncio.run(measure_answers(Settings.load(), file, documents))
    counts = {
        verdict: sum(result.verdict == verdict for result in results) for verdict in ("right", "declined", "wrong")
    }
    ms = round(median(result.ms for result in results), 1) if results else 0.0
    if as_json:
        print(json.dumps({"questions": len(results), **counts, "ms_per_question": ms}))
        return
    table = Table("verdict", "question", "answer", show_lines=True)
    for result in results:
        if errors and result.verdict != "right":
            table.add_row(result.verdict, result.question, result.answer)
    console = Console()
    if errors:
        console.print(table)
    console.print(f"{len(results)} questions: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    console.print(f"{ms} ms a question (median)", highlight=False)
