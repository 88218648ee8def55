"""teller cards: look at the ledger, bring the demo back, read the audit trail, erase a person."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Column, Table

from teller.caller import parse_phone
from teller.cards.audit import AuditEntry
from teller.cards.sql_ledger import SqlLedger
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
    table = Table(Column("phone", no_wrap=True), "name", "PIN", "card", "state", "limit", "balance", "due")
    for holder in holders:
        person = [holder["phone"], holder["name"], holder["pin"]]
        for card in holder["cards"]:
            name = f"{card['product']} {card['network']} {card['last4']}"
            money = (card["credit_limit"], card["balance"], card["due_date"] or "-")
            table.add_row(*person, name, card["state"], *money)
            person = ["", "", ""]
        if not holder["cards"]:
            table.add_row(*person, "-", "", "", "", "")
    Console().print(table)


@app.command()
def reset() -> None:
    """Bring the demo ledger back to its beginning; it refuses any other ledger. A running server may go on."""
    from teller.cards.demo import reset
    from teller.services import pin_pepper

    settings = Settings.load()
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
    from teller.cards.audit import verified
    from teller.services import audit_key

    rows = _with_ledger(lambda ledger: ledger.audit_trail())
    shown = rows[-last:]
    if as_json:
        print(json.dumps([asdict(row.entry) | {"mac": row.mac} for row in shown], indent=2, default=str))
    else:
        Console().print(_trail(row.entry for row in shown))
    if not (verify or head):
        return
    verdict = verified(rows, audit_key(Settings.load()), head)
    told = Console(stderr=as_json, soft_wrap=True, highlight=False)
    told.print(verdict.text, style="" if verdict.whole else "bold red")
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


def _trail(entries: Iterable[AuditEntry]) -> Table:
    table = Table("no.", "at", "what", "who", "detail")
    for entry in entries:
        detail = ", ".join(f"{name} {value}" for name, value in entry.detail.items() if value is not None)
        table.add_row(str(entry.seq), f"{entry.at:%Y-%m-%d %H:%M:%S}", entry.event, entry.subject or "-", detail)
    return table


def _with_ledger(work: Callable[[SqlLedger], Awaitable[T]]) -> T:
    from teller.services import open_ledger

    async def run() -> T:
        ledger = await open_ledger(Settings.load())
        try:
            return await work(ledger)
        finally:
            await ledger.close()

    return asyncio.run(run())
