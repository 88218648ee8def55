"""A real server process over a bank that is indexed once, and the same parts in process for the graph's own tests."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from graph.workflow import Teller, build_workflow
from teller.cards import demo
from teller.services import Services, pin_pepper
from teller.settings import Settings

ROOT = Path(__file__).parent.parent
TELLER = Path(sys.executable).with_name("teller")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where it listens, and the folder of its data."""

    base_url: str
    data_dir: Path

    def teller(self, *arguments: str) -> str:
        """Run a `teller` command on this server's data and return what it prints."""
        done = subprocess.run([TELLER, *arguments], env=environment(self.data_dir), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """Return an environment with these settings and nothing of the developer's own."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "DATA_DIR": str(data_dir), **settings}


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_ready(base_url: str, process: subprocess.Popen[str], seconds: float = 60) -> None:
    """Return when the server is ready; fail with what it printed if it stops before."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the server stopped: {process.communicate()}")
        try:
            if httpx.get(f"{base_url}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail("the server was not ready in time")


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the sample bank indexed, made once; copy it, don't change it."""
    import asyncio

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


def start_server(data_dir: Path, **settings: str) -> tuple[Server, subprocess.Popen[str]]:
    """Start a server process with these settings, and return it when it is ready."""
    port = free_port()
    env = environment(data_dir, PORT=str(port), **settings)
    process = subprocess.Popen([TELLER, "serve"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    base_url = f"http://127.0.0.1:{port}"
    wait_until_ready(base_url, process)
    return Server(base_url, data_dir), process


@pytest.fixture(scope="session")
def shared_server(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server process for all tests that talk to one."""
    server, process = start_server(shutil.copytree(bank, tmp_path_factory.mktemp("server") / "data"))
    yield server
    process.terminate()
    process.communicate(timeout=10)


@pytest.fixture
def server(shared_server: Server) -> Server:
    """The server with its demo ledger as at the beginning."""
    import asyncio

    from teller.services import open_ledger

    async def reset() -> None:
        settings = Settings(data_dir=shared_server.data_dir, _env_file=None)
        ledger = await open_ledger(settings)
        await demo.reset(ledger, pin_pepper(settings))
        await ledger.close()

    asyncio.run(reset())
    return shared_server


@pytest.fixture
def http(server: Server) -> Iterator[httpx.Client]:
    """A client of the server."""
    with httpx.Client(base_url=server.base_url, timeout=30) as client:
        yield client
