"""How turns are understood: the figures behind `teller eval routing`."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import get_args

from langchain_core.messages import AnyMessage, HumanMessage, convert_to_messages
from pydantic import BaseModel, Field
from rich.table import Table

from graph.classify import by_shape
from graph.history import earlier_turns, spoken_turns, turn_text
from graph.intents import IntentClassifier
from graph.state import Intent, Route
from teller.services import Services
from teller.settings import Settings


class RoutedTurn(BaseModel):
    """A turn with its wanted route; `accept` are the routes that would do as well."""

    text: str | None = None
    messages: list[dict[str, str]] = Field(default_factory=list)
    route: Route
    accept: list[Route] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RoutingReport:
    """Every turn with what it was understood as, and the milliseconds that all took together."""

    turns: list[tuple[RoutedTurn, Intent]]
    milliseconds: float

    def figures(self) -> dict[str, float]:
        """Return the accuracies and the time."""
        strict = sum(turn.route in intent.routes for turn, intent in self.turns)
        lenient = sum(bool({turn.route, *turn.accept} & set(intent.routes)) for turn, intent in self.turns)
        count = len(self.turns)
        return {
            "turns": count,
            "strict": round(strict / count, 4),
            "lenient": round(lenient / count, 4),
            "ms_per_turn": round(self.milliseconds / count, 2),
        }

    def table(self) -> Table:
        """Return the confusion table: wanted routes down, understood ones across."""
        routes = get_args(Route)
        table = Table("wanted \\ understood", *routes)
        for wanted in routes:
            row = [intent.routes[0] for turn, intent in self.turns if turn.route == wanted]
            table.add_row(wanted, *(str(row.count(route)) for route in routes))
        return table

    def errors(self) -> Table:
        """Return the turns that were understood as something else."""
        table = Table("wanted", "understood", "confidence", "turn")
        for turn, intent in self.turns:
            if turn.route not in intent.routes:
                said = turn.text or turn.messages[-1]["content"]
                table.add_row(turn.route, f"{intent.routes[0]}/{intent.topic}", f"{intent.confidence:.2f}", said)
        return table


async def measure_routing(settings: Settings, file: Path) -> RoutingReport:
    """Classify every turn of a file."""
    lines = (await asyncio.to_thread(file.read_text, "utf-8")).splitlines()
    turns = [RoutedTurn.model_validate_json(line) for line in lines if line.strip()]
    async with Services.opened(settings) as services:
        classifier = await IntentClassifier.open(services)
        began = perf_counter()
        understood = [(turn, await _understood(classifier, turn)) for turn in turns]
        return RoutingReport(understood, (perf_counter() - began) * 1000)


async def _understood(classifier: IntentClassifier, turn: RoutedTurn) -> Intent:
    messages: list[AnyMessage] = [HumanMessage(turn.text)] if turn.text else convert_to_messages(turn.messages)  # type: ignore[assignment]
    history = spoken_turns(messages)
    return by_shape(messages, history) or await classifier.classify(turn_text(history), earlier_turns(history))
