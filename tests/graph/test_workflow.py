"""The graph is the one that ARCHITECTURE.md draws, and the README shows it."""

import asyncio
import re

import pytest

from graph import workflow
from graph.workflow import Teller, make_graph
from teller.services import Services
from teller.settings import Settings
from tests.support.server import ROOT


def test_it_has_four_nodes_and_these_edges(graph: Teller) -> None:
    drawn = graph.get_graph()
    edges = {(edge.source, edge.target, edge.conditional) for edge in drawn.edges}
    assert set(drawn.nodes) == {"__start__", "classify", "retrieve", "card", "generate", "__end__"}
    assert edges == {
        ("__start__", "classify", False),
        ("classify", "retrieve", True),
        ("classify", "card", True),
        ("classify", "generate", True),
        ("retrieve", "generate", False),
        ("card", "generate", False),
        ("generate", "__end__", False),
    }


def test_the_readme_shows_the_compiled_graph(graph: Teller) -> None:
    block = re.search(r"```mermaid\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert block is not None
    assert block[1].strip() == graph.get_graph().draw_mermaid().strip()


def test_generate_waits_for_both_branches(graph: Teller) -> None:
    assert graph.builder.nodes["generate"].defer


async def test_studio_gets_one_graph_however_often_it_asks_at_once(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Settings] = []

    async def services_of(settings: Settings) -> Services:
        opened.append(settings)
        await asyncio.sleep(0)
        return services

    monkeypatch.setattr(workflow, "_studio", None)
    monkeypatch.setattr(Services, "open", services_of)
    first, second = await asyncio.gather(make_graph(), make_graph())
    assert first is second
    assert first is await make_graph()
    assert len(opened) == 1
