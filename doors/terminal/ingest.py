"""teller ingest: a file or a folder into the index."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from teller.settings import Settings


def ingest(
    path: Annotated[Path, typer.Argument(exists=True, help="A document, or a folder of them.")],
    collection: Annotated[str | None, typer.Option(help="The collection, where a document names none.")] = None,
) -> None:
    """Take documents in (Markdown, text, HTML, PDF, DOCX): what changed is embedded anew, what is gone is removed."""
    if asyncio.run(_ingest(path, collection)):
        raise typer.Exit(1)


async def _ingest(path: Path, collection: str | None) -> bool:
    from teller.services import Services

    console = Console()
    async with Services.opened(Settings.load()) as services:
        with Progress(console=console) as bar:
            task = bar.add_task("documents", total=None)
            report = await services.ingester.ingest_path(
                path, collection, lambda done, total: bar.update(task, completed=done, total=total)
            )
    console.print(report)
    return False
