"""teller ingest: a file or a folder into the index."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from teller.settings import Settings

if TYPE_CHECKING:  # the room behind it is imported when the command runs
    from teller.knowledge.ingest import IngestReport
    from teller.knowledge.ingest import Progress as Step


def ingest(
    path: Annotated[Path, typer.Argument(exists=True, help="A document, or a folder of them.")],
    collection: Annotated[str | None, typer.Option(help="The collection, where a document names none.")] = None,
) -> None:
    """Take documents in (Markdown, text, HTML, PDF, DOCX): what changed is embedded anew, what is gone is removed.

    The exit status is 1 where a file was refused.
    """
    settings = Settings.load()
    with _one_at_a_time(settings.data_dir):
        report = asyncio.run(_ingest(settings, path, collection))
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    for filename, why in report.rejected.items():
        console.print(f"[red]refused[/] {escape(filename)}: {escape(why)}")
    counts = {
        "added": report.added,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "removed": report.removed,
        "refused": report.rejected,
    }
    console.print(", ".join(f"{len(documents)} {what}" for what, documents in counts.items()))
    if report.rejected:
        raise typer.Exit(1)


@contextmanager
def _one_at_a_time(data_dir: Path) -> Iterator[None]:
    """Wait until no other ingest of this machine is at work: two would embed everything twice.

    Were one to remove what is gone while the other still puts in what it had read before, that would come back. The
    lock ends with the process, however that ends; where the system has none, two at once are let be.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data_dir / "ingest.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            Console(stderr=True).print("Another ingest is at work: this one begins when it has ended.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


async def _ingest(settings: Settings, path: Path, collection: str | None) -> "IngestReport":
    from teller.services import Services

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[part]}", markup=False),
    )
    async with Services.opened(settings) as services:
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("documents", total=None, part="")

            def show(step: "Step") -> None:
                part = f"{step.filename} {step.passages_done}/{step.passages}" if step.passages else step.filename
                bar.update(task, completed=step.files_done, total=step.files, part=part)

            return await services.ingester.ingest_path(path, collection, show)
