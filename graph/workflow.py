"""THE graph: four nodes and the edges between them.

               ┌─ knowledge ─> retrieve ─┐
    classify ──┼─ card ──────> card ─────┼──> generate
               └─ neither ───────────────┘

A turn that asks both runs `retrieve` and `card` side by side. There is no checkpointer and no interrupt: what was said
is in the messages, what was asked and done is in the ledger, and any process answers any turn (ARCHITECTURE.md).
"""

import asyncio

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from graph.card import CardDesk
from graph.classify import Classify
from graph.generate import Generate
from graph.intents import IntentClassifier
from graph.options import TurnOptions
from graph.progress import announced
from graph.retrieve import Retrieve
from graph.state import InputState, TellerState
from teller.services import Services
from teller.settings import Settings

Teller = CompiledStateGraph[TellerState, TurnOptions, InputState, TellerState]


async def by_route(state: TellerState) -> list[str]:
    """Return the branches of a turn: the documents, the card, both, or straight to the answer."""
    routes = state["intent"].routes
    branches = [node for route, node in (("knowledge", "retrieve"), ("card", "card")) if route in routes]
    return branches or ["generate"]


async def build_workflow(services: Services) -> Teller:
    """Return the compiled graph over these services."""
    classifier = await IntentClassifier.open(services)
    graph = StateGraph(TellerState, context_schema=TurnOptions, input_schema=InputState)
    graph.add_node("classify", announced("classify", Classify(services, classifier)))
    graph.add_node("retrieve", announced("retrieve", Retrieve(services)))
    graph.add_node("card", announced("card", CardDesk(services)))
    graph.add_node("generate", announced("generate", Generate(services)), defer=True)
    graph.add_edge(START, "classify")
    graph.add_conditional_edges("classify", by_route, ["retrieve", "card", "generate"])
    graph.add_edge("retrieve", "generate")
    graph.add_edge("card", "generate")
    graph.add_edge("generate", END)
    return graph.compile(name="teller")


_studio: Teller | None = None
_one_builds = asyncio.Lock()


async def make_graph() -> Teller:
    """Return the graph for LangGraph Studio, which calls this on every access; it is built once."""
    global _studio
    async with _one_builds:
        if _studio is None:
            services = await Services.open(await asyncio.to_thread(Settings.load))
            _studio = await build_workflow(services)
            services.index_sample_bank_in_background()
        return _studio
