"""The graph is the one that ARCHITECTURE.md draws, and the README shows it."""

import re

from graph.workflow import Teller
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
