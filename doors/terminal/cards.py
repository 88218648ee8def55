"""teller cards: look at the ledger, bring the demo back, read the audit trail, erase a person."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress, TextColumn

from doors.terminal.card_tables import holders_table, trail_table
from teller.caller import parse_phone
from teller.cards.audit import ChainCheck, Verdict
from teller.cards.sql_ledger import SqlLedger
from teller.errors import NotADemoLedgerError
from teller.settings import Settings

app = typer.Typer(
    no_args_is_help=True, help="Look at the ledger, bring the demo back, read the audit trail, erase a person."
)
T = TypeVar("T")


@app.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False) -> None:
    """List holders and their cards."""
    from teller.cards.demo import listing

    holders = _with_ledger(listing)
    if as_json:
        print(json.dumps(holders, indent=2))
        return
    console = Console()
    if not holders:
        print("The ledger holds nobody.")
        return
    console.print(holders_table(holders, console.width))


@app.command()
def reset() -> None:
    """Bring the demo ledger back to its beginning; it refuses any other ledger. A running server may go on."""
    from teller.cards.demo import reset
    from teller.services import pin_pepper

    settings = Settings.load()
    if settings.on_postgresql and settings.sample_bank == "off":
        raise NotADemoLedgerError("SAMPLE_BANK is off: this ledger waits for the bank's own people and is not reset")
    _with_ledger(lambda ledger: reset(ledger, pin_pepper(settings)))
    Console().print("The demo ledger is as at its beginning.")


@app.command()
def audit(
    verify: Annotated[bool, typer.Option("--verify", help="Check that no row was changed, removed or added.")] = False,
    head: Annotated[str, typer.Option(help="A head noted earlier: check also that nothing since was cut off.")] = "",
    last: Annotated[int, typer.Option(min=0, help="Show so many of the newest rows; 0: all.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Read the audit trail: who did what to which card, by pseudonym. Note the head that --verify tells."""
    if head and not re.fullmatch("[0-9a-f]{64}", head):
        raise typer.BadParameter("it is the 64 hexadecimal digits that --verify tells", param_hint="--head")
    _with_ledger(lambda ledger: _show_trail(ledger, last, as_json))
    if not (verify or head):
        return
    verdict = _with_ledger(lambda ledger: _verified(ledger, head))
    Console(stderr=as_json, soft_wrap=True, highlight=False).print(
        verdict.text, style="" if verdict.whole else "bold red"
    )
    if not verdict.whole:
        raise typer.Exit(1)


@app.command()
def erase(
    phone: Annotated[str, typer.Argument(help="The number in E.164 form, such as +1234567890.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a person: cards, payments, questions, proofs. The audit trail stays whole; it names nobody."""
    number = parse_phone(phone)
    if number is None:
        raise typer.BadParameter(f"{phone} is no phone number in E.164 form, such as +1234567890")
    if not yes:
        typer.confirm(f"Delete all that the ledger holds of {number}? This can't be undone.", abort=True)
    if not _with_ledger(lambda ledger: ledger.erase(number)):
        Console(stderr=True).print(f"The ledger holds nothing of {number}.", highlight=False)
        raise typer.Exit(1)
    Console().print(f"{number} is erased. The audit trail keeps its rows, under a pseudonym.", highlight=False)


async def _show_trail(ledger: SqlLedger, last: int, as_json: bool) -> None:
    rows = await ledger.audit_trail(last)
    if as_json:
        print(json.dumps([asdict(row.entry) | {"mac": row.mac} for row in rows], indent=2, default=_json))
    elif rows:
        Console().print(trail_table(row.entry for row in rows))
    else:
        print("The audit trail is empty.")


async def _verified(ledger: SqlLedger, head: str) -> Verdict:
    """Follow the whole chain, and look for the triggers that protect it; a long one shows how far it is."""
    from teller.services import audit_key

    check = ChainCheck(audit_key(Settings.load()), head)
    with Progress(TextColumn("{task.completed:,} rows"), console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("rows", total=None)
        async for batch in ledger.audit_batches():
            check.follow(batch)
            progress.advance(task, len(batch))
            if check.broken is not None:
                break
    verdict, missing = check.verdict(), await ledger.missing_guards()
    if not missing:
        return verdict
    gone = f"Somebody took away what protects the trail (trigger {', '.join(missing)}): restore it, and ask who."
    return Verdict(False, f"{verdict.text}\n{gone}")


def _json(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _with_ledger(work: Callable[[SqlLedger], Awaitable[T]]) -> T:
    from teller.services import open_ledger

    async def run() -> T:
        ledger = await open_ledger(Settings.load())
        try:
            return await work(ledger)
        finally:
            await ledger.close()

    return asyncio.run(run())
