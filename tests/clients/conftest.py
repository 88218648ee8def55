"""A server process as real clients meet it: it asks for a key, and its model is Nova on the wire."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bedrock.client import BedrockWire
from tests.support.server import Server, start_server


@pytest.fixture(scope="session")
def running_wire() -> Iterator[BedrockWire]:
    with BedrockWire() as running:
        yield running


@pytest.fixture
def wire(running_wire: BedrockWire) -> BedrockWire:
    """Bedrock on the wire, with an empty script."""
    running_wire.reset()
    return running_wire


@pytest.fixture(scope="session")
def nova(bank: Path, running_wire: BedrockWire, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server; nothing steps in for its model, which it gives a long time for a first token."""
    data_dir = shutil.copytree(bank, tmp_path_factory.mktemp("clients") / "data")
    settings = {"API_KEYS": "tests:s3cret", "CHAT_MODEL": "amazon.nova-lite-v1:0", "MODEL_TIMEOUT_SECONDS": "60"}
    server, process = start_server(data_dir, **settings, **running_wire.environment())
    yield server
    process.terminate()
    process.communicate(timeout=10)
