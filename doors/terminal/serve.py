"""teller serve, check and migrate: what whoever deploys it runs."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from teller.errors import ConfigurationError, TellerError
from teller.settings import TITAN, Settings

if TYPE_CHECKING:  # the rooms behind these commands are imported when a command runs
    from teller.models.registry import ChatModels
    from teller.services import Services


def serve() -> None:
    """Serve the graph on HOST:PORT."""
    import uvicorn

    from doors.connection import BoundedConnection
    from server import create_app
    from teller.telemetry import set_up_logging

    settings = Settings.load()
    set_up_logging(settings.log_level)
    listening = listen(settings)
    app = create_app(settings)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
            await super().startup(sockets)  # type: ignore[arg-type]
            if self.started:
                Console(soft_wrap=True).print(welcome(settings, app.state.services.models), highlight=False)

    config = uvicorn.Config(
        app,
        settings.host,
        settings.port,
        http=BoundedConnection,
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="on",
    )
    Server(config).run(sockets=[listening])


def listen(settings: Settings) -> socket.socket:
    """Return the socket to serve on, taken before anything is opened: who is too early waits, and is not refused.

    Raises:
        ConfigurationError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as taken:
        problem = f"{settings.host} port {settings.port} cannot be listened on ({os.strerror(taken.errno or 0)})"
        raise ConfigurationError(f"HOST, PORT: {problem}; set another, such as PORT=8080") from taken


def welcome(settings: Settings, models: "ChatModels") -> str:
    """Return what a start tells: what it runs on, where the pages are, and what to try."""
    host = "localhost" if settings.host in ("127.0.0.1", "0.0.0.0", "::") else settings.host  # noqa: S104
    base = f"http://{host}:{settings.port}"
    auth = ' -H "Authorization: Bearer $API_KEY"' if settings.api_keys else ""
    post = f"curl -sN{auth} {base}/api/chat/completions/ -H 'Content-Type: application/json' -d"
    from teller.knowledge.choosing import index_place
    from teller.services import ledger_place

    tag = escape("[phone: +1234567890]")
    on_bedrock = settings.embedding_model.startswith(TITAN)
    lines = [
        f"\n[bold]Teller[/] serves {base}\n",
        f"  model      {models.default.name}, {models.why}",
        *([f"             {models.fallback.name} steps in where it fails"] if models.fallback else []),
        f"  embedder   {settings.embedding_model}, {'on Bedrock' if on_bedrock else 'in process'}",
        f"  index      {index_place(settings)}",
        f"  ledger     {ledger_place(settings)}",
        f"\n  playground {base}/agent/playground/",
        f"  API        {base}/docs",
    ]
    if not settings.api_keys:
        lines.append("\n  [bold red]Open to everyone who can reach this address: set API_KEYS to close it.[/]")
    lines += [
        "\nTry:",
        f"""  {post} '{{"messages":[{{"role":"user","content":"What loan options are available?"}}]}}'""",
        f"""  {post} '{{"messages":[{{"role":"user","content":"Block my credit card {tag}"}}]}}'""",
        '  .venv/bin/teller ask "What does the Gold card cost a year?"\n',
    ]
    return "\n".join(lines)


def migrate() -> None:
    """Bring the ledger's schema up to date, and an OpenSearch index to the embedder and the fields of this version."""
    from teller.knowledge.choosing import migrate_index
    from teller.services import open_ledger

    console = Console(soft_wrap=True, highlight=False)

    async def run() -> str:
        settings = Settings.load()
        ledger = await open_ledger(settings)
        await ledger.close()
        console.print("The ledger's schema is current.")
        with console.status("") as line:
            return await migrate_index(settings, lambda done, of: line.update(f"{done} of {of} documents"))

    console.print(asyncio.run(run()))


def check() -> None:
    """Tell whether this configuration can serve: each part, and what to mend."""
    table = Table("part", "", "what it says")
    failed = asyncio.run(_check(table))
    Console(emoji=False).print(table)
    if failed:
        raise typer.Exit(1)


async def _check(table: Table) -> bool:
    try:
        settings = Settings.load()
    except ConfigurationError as wrong:
        table.add_row("settings", "[red]wrong[/]", escape(str(wrong)))
        return True
    table.add_row("settings", "[green]ok[/]", "read")
    parts: dict[str, Callable[[Settings], Awaitable[str]]] = {"ledger": _ledger}
    if settings.opensearch_url:
        parts["OpenSearch"] = _opensearch
    parts["index and model"] = _services
    failed = False
    for name, part in parts.items():
        try:
            table.add_row(name, "[green]ok[/]", await part(settings))
        except TellerError as wrong:
            failed = True
            table.add_row(name, "[red]wrong[/]", escape(str(wrong)))
            if part is _opensearch:
                break  # what comes next would say the same, or make the index that is missing
    return failed


async def _ledger(settings: Settings) -> str:
    from teller.services import ledger_place, open_ledger

    ledger = await open_ledger(settings)
    try:
        await ledger.ready()
    finally:
        await ledger.close()
    return f"{ledger_place(settings)}, schema current"


async def _opensearch(settings: Settings) -> str:
    from teller.knowledge.choosing import explain_index

    return await explain_index(settings)


async def _services(settings: Settings) -> str:
    from teller.services import Services

    async with Services.opened(settings) as services:
        status = await services.index.status()
        told = f"{status.passages} passages, {status.with_vector} with their vector"
        return f"{told}; {await _one_token(services)}"


async def _one_token(services: "Services") -> str:
    """Ask a hosted model for one token: access that is denied shows in no other way."""
    model = services.models.default
    if model.name != "quote":
        try:
            await model.model.ainvoke("Hello", max_tokens=1)
        except TellerError as failure:
            mend = "look at the region, the credentials, and whether this account may use the model"
            raise ConfigurationError(f"{model.name}: {failure} Mend: {mend}.") from failure
    return f"{model.name} answers, {services.models.why}"
