"""The `teller` command. Every command imports what it needs when it runs: `teller cards list` loads no model."""

import sys

import typer
from rich.console import Console

from doors.terminal import ask, call, cards, evaluate, ingest, serve
from teller.errors import TellerError

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Teller, a bank's assistant."
)
app.add_typer(cards.app, name="cards")
app.add_typer(evaluate.app, name="eval")
app.command("serve")(serve.serve)
app.command("check")(serve.check)
app.command("migrate")(serve.migrate)
app.command("ingest")(ingest.ingest)
app.command("ask")(ask.ask)
app.command("call")(call.call)


def main() -> None:
    """Run the command; what goes wrong on purpose is told in one line, and the exit status is 1."""
    try:
        app()
    except TellerError as failure:
        Console(stderr=True, emoji=False).print("teller:", str(failure), soft_wrap=True, highlight=False, markup=False)
        sys.exit(1)
