"""Replicas count together in a real Redis; while it is down or does not answer, each counts alone and nobody waits."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.server import TELLER, Server, environment, free_port, start_server

REDIS = shutil.which("redis-server")

pytestmark = pytest.mark.skipif(REDIS is None, reason="no redis-server here: the shared store of rates was not tried")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A Redis of this test's own: its address and its process."""
    port = free_port()
    command = [str(REDIS), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    yield f"redis://127.0.0.1:{port}", process
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait()


@pytest.fixture
def replicas(
    bank: Path, tmp_path: Path, redis: tuple[str, "subprocess.Popen[bytes]"]
) -> Iterator[tuple[Server, Server]]:
    """Two servers that share the store."""
    settings = {"RATE_LIMIT_STORE": redis[0], "RATE_LIMIT_PER_CALLER": "5/hour", "RATE_LIMIT_UNKNOWN_NUMBERS": "2/hour"}
    running = [start_server(shutil.copytree(bank, tmp_path / name), **settings) for name in ("one", "two")]
    yield running[0][0], running[1][0]
    for _, process in running:
        process.terminate()
        process.communicate(timeout=20)


def say_hello(server: Server, phone: str) -> int:
    body = {"messages": [{"role": "user", "content": "Hello"}], "stream": False, "metadata": {"phone": phone}}
    return httpx.post(f"{server.base_url}/api/chat/completions/", json=body, timeout=20).status_code


def test_replicas_count_together(replicas: tuple[Server, Server]) -> None:
    one, two = replicas
    assert [say_hello(server, "+1234567890") for server in (one, two) * 3] == [200] * 5 + [429]
    guesses = [say_hello(server, f"+1999555000{digit}") for digit, server in enumerate((one, two, one, two))]
    assert guesses == [200, 200, 429, 429]


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP], ids=["down", "silent"])
def test_without_the_store_each_replica_counts_alone(
    replicas: tuple[Server, Server], redis: tuple[str, "subprocess.Popen[bytes]"], fault: signal.Signals
) -> None:
    one, two = replicas
    assert say_hello(one, "+1234567890") == 200
    redis[1].send_signal(fault)
    time.sleep(0.2)
    for server in (one, two):
        answers = [say_hello(server, "+1234567890") for _ in range(6)]
        assert answers == [200] * 5 + [429], "answered, and still bounded"
        log = (server.data_dir / "server.log").read_text("utf-8")
        assert "each replica counts alone" in log
        assert "Traceback" not in log


def test_a_store_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    settings = environment(tmp_path, RATE_LIMIT_STORE="nosuch://host")
    done = subprocess.run([TELLER, "serve"], env=settings, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "RATE_LIMIT_STORE" in done.stderr + done.stdout
