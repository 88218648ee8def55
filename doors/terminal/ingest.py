"""teller ingest: a file or a folder into the index."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from teller.settings import Settings

if TYPE_CHECKING:  # the room behind it is imported when the command runs
    from teller.knowledge.ingest import IngestReport
    from teller.knowledge.ingest import Progress as Step


def ingest(
    path: Annotated[Path, typer.Argument(exists=True, help="A document, or a folder of them.")],
    collection: Annotated[str | None, typer.Option(help="The collection, where a document names none.")] = None,
) -> None:
    """Take documents in (Markdown, text, HTML, PDF, DOCX): what changed is embedded anew, what is gone is removed."""
    report = asyncio.run(_ingest(path, collection))
    console = Console(highlight=False, soft_wrap=True)
    for filename, why in report.rejected.items():
        console.print(f"[red]rejected[/] {escape(filename)}: {escape(why)}")
    counts = {"taken in": report.ingested, "unchanged": report.unchanged, "removed": report.removed}
    console.print(", ".join(f"{len(documents)} {what}" for what, documents in counts.items()))
    if report.rejected:
        raise typer.Exit(1)


async def _ingest(path: Path, collection: str | None) -> "IngestReport":
    from teller.services import Services

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[part]}"))
    async with Services.opened(Settings.load()) as services:
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("documents", total=None, part="")

            def show(step: "Step") -> None:
                part = f"{step.filename} {step.passages_done}/{step.passages}"
                bar.update(task, completed=step.files_done, total=step.files, part=part)

            return await services.ingester.ingest_path(path, collection, show)
