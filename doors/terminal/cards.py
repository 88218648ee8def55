"""teller cards: look at the ledger, bring the demo back, read the audit trail."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Column, Table

from teller.cards.sql_ledger import SqlLedger
from teller.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Look at the ledger, bring the demo back, read the audit trail.")
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
def audit(verify: Annotated[bool, typer.Option(help="Check that no row was changed or removed.")] = False) -> None:
    """Read the audit trail: who did what to which card, by pseudonym."""
    from teller.cards.audit import first_broken
    from teller.services import audit_key

    rows = _with_ledger(lambda ledger: ledger.audit_trail())
    table = Table("no.", "at", "what", "who", "detail")
    for entry in (row.entry for row in rows):
        detail = ", ".join(f"{name} {value}" for name, value in entry.detail.items() if value is not None)
        table.add_row(str(entry.seq), f"{entry.at:%Y-%m-%d %H:%M:%S}", entry.event, entry.subject or "-", detail)
    Console().print(table)
    if not verify:
        return
    broken = first_broken(rows, audit_key(Settings.load()))
    if broken is not None:
        Console().print(f"[bold red]The chain is broken at row {broken}.[/]")
        raise typer.Exit(1)
    Console().print("The chain is whole.")


def _with_ledger(work: Callable[[SqlLedger], Awaitable[T]]) -> T:
    from teller.services import open_ledger

    async def run() -> T:
        ledger = await open_ledger(Settings.load())
        try:
            return await work(ledger)
        finally:
            await ledger.close()

    return asyncio.run(run())
