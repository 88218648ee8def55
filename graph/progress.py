"""Nodes tell the doors when they are done and how long they took."""

from time import perf_counter
from typing import Protocol

from langgraph.runtime import Runtime

from graph.events import Progress
from graph.options import TurnOptions
from graph.state import TellerState, TurnUpdate


class Node(Protocol):
    """What every node of the graph is: state in, the changed fields out."""

    async def __call__(self, state: TellerState, *, runtime: Runtime[TurnOptions]) -> TurnUpdate:
        """Do the node's work for one turn."""
        ...


def announced(name: str, node: Node) -> Node:
    """Return the node, made to emit a `Progress` event when it is done."""

    async def call(state: TellerState, *, runtime: Runtime[TurnOptions]) -> TurnUpdate:
        began = perf_counter()
        update = await node(state, runtime=runtime)
        intent = update.get("intent")
        milliseconds = (perf_counter() - began) * 1000
        runtime.stream_writer(Progress(name, milliseconds, intent.routes if intent else ()))
        return update

    return call
