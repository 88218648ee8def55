"""The openai packages and our 429, 503 and a stream that breaks off: their retries obey our headers."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients import openai_python
from tests.clients.node_clients import NodeClient
from tests.clients.scene import Ask, Client
from tests.support.bedrock.client import BedrockWire
from tests.support.server import Server, start_server

LOANS = "What loan options are available?"
CLIENTS: dict[str, Client] = {
    "openai-python": openai_python.blocking,
    "openai-python-asyncio": openai_python.with_asyncio,
    "openai-node-4.87.3": NodeClient("openai.mjs", "openai-vapi"),
    "openai-node-6": NodeClient("openai.mjs", "openai-6"),
    "openai-node": NodeClient("openai.mjs", "openai"),
}
every_client = pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)


@pytest.fixture(scope="module", autouse=True)
def node_processes_end() -> Iterator[None]:
    yield
    for client in CLIENTS.values():
        if isinstance(client, NodeClient):
            client.close()


@pytest.fixture(scope="module")
def slow_to_let_in(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes one request in two seconds of a key."""
    data_dir = shutil.copytree(bank, tmp_path_factory.mktemp("retries") / "data")
    server, process = start_server(data_dir, API_KEYS="tests:s3cret", RATE_LIMIT_PER_KEY="1/2 seconds")
    yield server
    process.terminate()
    process.communicate(timeout=20)


def statuses(server: Server) -> list[str]:
    """Return the statuses of all chat requests so far, from the server's log."""
    lines = (server.data_dir / "server.log").read_text("utf-8").splitlines()
    return [line.partition('"status": ')[2][:3] for line in lines if '"route": "/api/chat/completions"' in line]


@every_client
def test_a_429_is_tried_again_after_the_time_that_it_tells(slow_to_let_in: Server, client: Client) -> None:
    ask = Ask(f"{slow_to_let_in.base_url}/api", "Hello", stream=True, retries=5)
    before = len(statuses(slow_to_let_in))
    heard = [client(ask) for _ in range(3)]
    assert all("Teller" in one.text for one in heard), "the user sees answers"
    assert statuses(slow_to_let_in)[before:].count("429") in range(1, 8), "and waited: it did not hammer"


@every_client
def test_a_503_that_may_pass_is_tried_again_and_answered(nova: Server, wire: BedrockWire, client: Client) -> None:
    wire.script({"fault": "ThrottlingException", "times": "forever"})
    failed = client(Ask(f"{nova.base_url}/api", LOANS, stream=True)).failed
    assert failed is not None
    assert failed.status == 503
    tried = len(wire.requests())  # by us, for one request
    wire.reset()
    wire.script({"fault": "ThrottlingException", "times": tried}, {"text": "Three kinds."})
    assert client(Ask(f"{nova.base_url}/api", LOANS, stream=True, retries=2)).text == "Three kinds."


@every_client
def test_a_503_that_will_not_pass_is_not_tried_again(nova: Server, wire: BedrockWire, client: Client) -> None:
    wire.script({"fault": "AccessDeniedException", "times": "forever"})
    failed = client(Ask(f"{nova.base_url}/api", LOANS, stream=True, retries=2)).failed
    assert failed is not None
    assert (failed.status, len(wire.requests())) == (503, 1)


@every_client
def test_a_stream_that_breaks_off_is_an_error_and_not_begun_again(
    nova: Server, wire: BedrockWire, client: Client
) -> None:
    wire.script({"text": "We offer three kinds of loans to you.", "every": 4, "cut": "reset", "after": 3})
    heard = client(Ask(f"{nova.base_url}/api", LOANS, stream=True, retries=2))
    assert heard.failed is not None
    assert (heard.text, len(wire.requests())) == ("", 1)
