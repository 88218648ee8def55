"""teller call: a caller as Vapi plays one, by a script, against this Teller or any chat-completions URL."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from teller.caller import parse_phone
from teller.settings import Settings

if TYPE_CHECKING:
    from doors.terminal.call_report import CallScreen, Played
    from simulator.player import ReadLedger
    from simulator.script import Script

MOST_CALLERS = 1000


def call(
    script: Annotated[Path, typer.Argument(help="The script, a YAML file; docs/call_scripts.md tells its form.")],
    url: Annotated[
        list[str] | None,
        typer.Option(help="A chat-completions URL; several are replicas. Without: this Teller, at HOST and PORT."),
    ] = None,
    key: Annotated[str, typer.Option(help="The API key to send.", envvar="API_KEY")] = "",
    ledger: Annotated[
        bool | None,
        typer.Option(help="Read the ledger that is configured here, before and after. Without --url it is."),
    ] = None,
    callers: Annotated[int, typer.Option(min=1, max=MOST_CALLERS, help="So many at once.")] = 1,
    number: Annotated[
        list[str] | None, typer.Option(help="The callers' numbers, in turn; without: the script's for all.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the latencies into this SVG file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Call as Vapi does, by a script: partial transcripts, cancelled requests, barge-in, silence, hang-ups.

    The exit status is 1 where something that the script expects was not so, and 2 where the script is wrong.
    """
    from doors.terminal.call_report import CallScreen, as_data, show_summary
    from simulator.plot import rows_of, strips
    from simulator.reading import ScriptError, read_script

    for given in number or ():
        if parse_phone(given) is None:
            raise typer.BadParameter(f"{given} is no phone number; write it as +1234567890", param_hint="--number")
    try:
        wanted = read_script(script)
    except ScriptError as wrong:
        Console(stderr=True).print(str(wrong), soft_wrap=True, highlight=False, markup=False)
        raise typer.Exit(2) from None
    reads_ledger = not url if ledger is None else ledger
    screen = CallScreen(Console(quiet=as_json or callers > 1, highlight=False))
    played = asyncio.run(_played(wanted, _addresses(url), key, callers, number or (), reads_ledger, screen))
    if plot is not None:
        plot.write_text(strips(wanted.name or script.stem, rows_of(played.latencies)), "utf-8")
    if as_json:
        print(json.dumps(as_data(wanted, played), indent=2))
    else:
        show_summary(Console(highlight=False), wanted, played)
    if played.failed:
        raise typer.Exit(1)


def _addresses(urls: list[str] | None) -> list[tuple[str, str]]:
    """Return origin and path of each replica."""
    from simulator.call import CHAT_PATH
    from simulator.transport import chat_address

    if not urls:
        settings = Settings.load()
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104 (not bound here)
        return [(f"http://{host}:{settings.port}", CHAT_PATH)]
    try:
        addresses = [chat_address(url) for url in urls]
        if len({path for _, path in addresses}) > 1:
            raise ValueError("replicas have the same path")
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong), param_hint="--url") from None
    return addresses


async def _played(
    script: "Script",
    addresses: list[tuple[str, str]],
    key: str,
    callers: int,
    numbers: Sequence[str],
    reads_ledger: bool,
    screen: "CallScreen",
) -> "Played":
    from doors.terminal.call_report import Played
    from simulator.call import Line
    from simulator.callers import play_many
    from simulator.player import Player
    from simulator.transport import Http

    async with AsyncExitStack() as stack:
        replicas = [Http(origin) for origin, _ in addresses]
        for replica in replicas:
            stack.push_async_callback(replica.close)
        line = Line(replicas, addresses[0][1], key)
        read_ledger = await _reader(stack) if reads_ledger else None
        before = await read_ledger() if read_ledger else None
        if callers > 1:
            reports = await play_many(script, line, callers, numbers)
        else:
            number = numbers[0] if numbers else None
            player = Player(script, line, number=number, read_ledger=read_ledger, tell=screen.show)
            reports = [await player.play()]
        return Played(reports, before, await read_ledger() if read_ledger else None)


async def _reader(stack: AsyncExitStack) -> "ReadLedger":
    """Return what reads the ledger that is configured here."""
    from simulator.report import Holders
    from teller.cards.demo import listing
    from teller.services import open_ledger

    ledger = await open_ledger(Settings.load())
    stack.push_async_callback(ledger.close)

    async def read() -> Holders:
        return [dict(holder) for holder in await listing(ledger)]

    return read
