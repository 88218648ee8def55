"""Every route that our OpenAPI document describes, with whatever that document allows and with what it does not."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case, Response

from server import create_app
from teller.settings import Settings
from tests.support.server import Server, start_server

DOCUMENT = schemathesis.openapi.from_dict(create_app(Settings(_env_file=None)).openapi())
TURNS_OF_LANGSERVE = r"/agent/(invoke|batch|stream|stream_log|stream_events)$"
"""Their cases take long to make: a LangChain message may have so many forms. `test_hostile_bodies` adds to them."""
ANY = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    derandomize=True,
    phases=[Phase.generate],
)
ALLOWED = {200, 204, 400, 404, 405, 413, 415}
EXAMPLES, EXAMPLES_OF_TURNS = 510, 8
FEWEST_CASES = 2000
TRIED: Counter[str] = Counter()
"""How many cases each route has had: one that takes nothing has but a few."""


@pytest.fixture(scope="module")
def open_server(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this module's own, since documents are uploaded to it; nobody is slowed there."""
    data_dir = shutil.copytree(bank, tmp_path_factory.mktemp("schemathesis") / "data")
    unbounded = {"RATE_LIMIT_PER_CALLER": "", "RATE_LIMIT_UNKNOWN_NUMBERS": ""}
    server, process = start_server(data_dir, **unbounded)
    yield server
    process.terminate()
    process.communicate(timeout=20)


@DOCUMENT.exclude(path_regex=TURNS_OF_LANGSERVE).parametrize()
@settings(ANY, max_examples=EXAMPLES)
def test_a_route_answers_whatever_comes(case: Case, open_server: Server) -> None:
    answered(case, open_server)


@DOCUMENT.include(path_regex=TURNS_OF_LANGSERVE).parametrize()
@settings(ANY, max_examples=EXAMPLES_OF_TURNS)
def test_a_turn_of_langserve_answers_whatever_comes(case: Case, open_server: Server) -> None:
    answered(case, open_server)


def test_it_was_thousands_of_cases() -> None:
    described = sum(len(methods) for methods in DOCUMENT.raw_schema["paths"].values())
    if len(TRIED) < described:
        pytest.skip("not all routes were tried in this run")
    assert TRIED.total() >= FEWEST_CASES, TRIED


def answered(case: Case, server: Server) -> None:
    TRIED[case.operation.label] += 1
    response = case.call(base_url=server.base_url, timeout=30)
    assert response.status_code in ALLOWED, (response.status_code, response.text[:300])
    if response.status_code >= 400:
        in_the_envelope(response)


def in_the_envelope(response: Response) -> None:
    assert response.headers["content-type"] == ["application/json"]
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert "Traceback" not in error["message"]
