"""A bank that is indexed once, a real server process over it, and the same parts in process for the graph's tests."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from graph.workflow import Teller, build_workflow
from teller.services import Services
from teller.settings import Settings
from tests.support.bedrock.client import BedrockWire
from tests.support.opensearch.node import Node
from tests.support.opensearch.running import running_node
from tests.support.server import Server, start_server


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the sample bank indexed, made once; copy it, don't change it."""
    data_dir = tmp_path_factory.mktemp("bank")

    async def prepare() -> None:
        async with Services.opened(Settings(data_dir=data_dir, _env_file=None)) as services:
            await services.index_sample_bank()
            await build_workflow(services)

    asyncio.run(prepare())
    return data_dir


@pytest.fixture
def data_dir(bank: Path, tmp_path: Path) -> Path:
    """A copy of the indexed bank, for one test."""
    return shutil.copytree(bank, tmp_path / "data")


@pytest.fixture
async def services(data_dir: Path) -> AsyncIterator[Services]:
    """The parts in process, on a bank of this test's own."""
    async with Services.opened(Settings(data_dir=data_dir, _env_file=None)) as opened:
        yield opened


@pytest.fixture
async def graph(services: Services) -> Teller:
    """The compiled graph, in process."""
    return await build_workflow(services)


@pytest.fixture(scope="session")
def shared_server(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server process for all tests that talk to one."""
    data_dir = shutil.copytree(bank, tmp_path_factory.mktemp("server") / "data")
    server, process = start_server(data_dir, RATE_LIMIT_PER_CALLER="")  # the tests are a busy caller
    yield server
    process.terminate()
    process.communicate(timeout=10)


@pytest.fixture
def server(shared_server: Server) -> Server:
    """The server with its demo ledger as at the beginning."""
    with sqlite3.connect(shared_server.data_dir / "teller.db") as ledger:
        touched = ledger.execute("SELECT 1 FROM pending UNION SELECT 1 FROM holder WHERE writes > 0").fetchone()
    ledger.close()
    if touched:
        shared_server.teller("cards", "reset")
    return shared_server


@pytest.fixture(scope="session")
def opensearch() -> Iterator[Node]:
    """A real OpenSearch of one node for all tests that use one; each takes an index name of its own."""
    with running_node() as node:
        yield node


@pytest.fixture(scope="module")
def wire() -> Iterator[BedrockWire]:
    """A Bedrock on the wire, in a process of its own."""
    with BedrockWire() as running:
        yield running


@pytest.fixture
def http(server: Server) -> Iterator[httpx.Client]:
    """A client of the server."""
    with httpx.Client(base_url=server.base_url, timeout=30) as client:
        yield client
