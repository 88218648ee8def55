"""teller ask: one question, or a conversation, in the terminal."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from teller.settings import Settings


def ask(
    question: Annotated[str | None, typer.Argument(help="What to ask; without it, a conversation begins.")] = None,
    phone: Annotated[str | None, typer.Option(help="The caller's number, such as +1234567890.")] = None,
) -> None:
    """Ask Teller; the answer streams in. Without a question: a conversation, ended by an empty line."""
    asyncio.run(_ask(Settings.load(), question, phone))


async def _ask(settings: Settings, question: str | None, phone: str | None) -> None:
    from uuid import uuid4

    from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

    from graph.options import DEFAULT_OPTIONS
    from graph.state import InputState
    from graph.turn import RunningTurn
    from graph.workflow import build_workflow
    from teller.caller import Caller, parse_phone
    from teller.services import Services
    from teller.telemetry import set_up_logging

    if phone and parse_phone(phone) is None:
        raise typer.BadParameter(f"{phone} is no phone number; write it as +1234567890", param_hint="--phone")
    set_up_logging("warning")
    console = Console(highlight=False)
    messages: list[AnyMessage] = []
    conversation_id = uuid4().hex
    async with Services.opened(settings) as services:
        graph = await build_workflow(services)
        with console.status("Reading the sample bank (first time only)…"):
            await services.index_sample_bank()
        while said := question or await asyncio.to_thread(_next_words, console):
            messages.append(HumanMessage(said))
            caller = Caller(phone=phone)
            given: InputState = {"messages": messages, "caller": caller, "conversation_id": conversation_id}
            pieces: list[str] = []
            async for event in RunningTurn(graph, given, DEFAULT_OPTIONS):
                if isinstance(event, str):
                    pieces.append(event)
                    console.print(escape(event), end="", soft_wrap=True)
            console.print()
            messages.append(AIMessage("".join(pieces)))
            if question:
                return


def _next_words(console: Console) -> str:
    try:
        return console.input("[bold cyan]you[/] ").strip()
    except EOFError:
        return ""
