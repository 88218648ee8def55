"""The house: imports point one way, our packages are the checkout's, and what is documented is what there is."""

import ast
import importlib
import re

import pytest

from teller.settings import Settings
from tests.support.server import ROOT

ORDER = ("teller", "tools", "graph", "doors", "server")
MAY_IMPORT = {room: set(ORDER[: place + 1]) for place, room in enumerate(ORDER)}


def imported(path: str) -> list[tuple[str, str]]:
    found = []
    for file in sorted(ROOT.glob(path)):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [(str(file.relative_to(ROOT)), name.partition(".")[0]) for name in names]
    return found


@pytest.mark.parametrize("room", ORDER)
def test_imports_point_one_way(room: str) -> None:
    path = "server.py" if room == "server" else f"{room}/**/*.py"
    wrong = [(file, name) for file, name in imported(path) if name in ORDER and name not in MAY_IMPORT[room]]
    wrong = [(file, name) for file, name in wrong if not (file.startswith("doors/terminal/") and name == "server")]
    assert wrong == []


def test_the_caller_knows_nothing_of_the_server() -> None:
    ours = {*ORDER, "prompts", "tests", "bench"}
    assert [found for found in imported("simulator/**/*.py") if found[1] in ours] == []


def test_the_server_knows_nothing_of_the_caller() -> None:
    rooms = [found for room in ORDER for found in imported("server.py" if room == "server" else f"{room}/**/*.py")]
    wrong = [file for file, name in rooms if name == "simulator"]
    assert [file for file in wrong if not file.startswith("doors/terminal/")] == []


def test_nothing_in_the_graph_knows_http() -> None:
    web = {"fastapi", "starlette", "uvicorn", "httpx"}
    assert [found for found in imported("graph/**/*.py") + imported("teller/**/*.py") if found[1] in web] == []


@pytest.mark.parametrize("package", ["graph", "tools", "prompts", "doors", "teller", "simulator", "server"])
def test_our_packages_are_the_checkouts(package: str) -> None:
    file = importlib.import_module(package).__file__
    assert file is not None
    assert file.startswith(str(ROOT))


def test_the_example_environment_names_every_setting() -> None:
    named = set(re.findall(r"^#?\s?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}


def test_the_lock_names_no_mirror() -> None:
    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text("utf-8")))
    assert hosts <= {"pypi.org", "files.pythonhosted.org"}
