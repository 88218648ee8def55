"""A real server process, for the tests that talk to one."""

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
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


def wait_until_ready(base_url: str, process: subprocess.Popen[str], seconds: float = 180) -> None:
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


def start_server(data_dir: Path, **settings: str) -> tuple[Server, subprocess.Popen[str]]:
    """Start a server process with these settings, and return it when it is ready. Its log is `DATA_DIR/server.log`."""
    port = free_port()
    env = environment(data_dir, PORT=str(port), **settings)
    with (data_dir / "server.log").open("w") as log:
        process = subprocess.Popen([TELLER, "serve"], env=env, stdout=log, stderr=log, text=True)
    base_url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(base_url, process)
    except BaseException:
        process.kill()  # nobody else knows of it
        process.wait()
        raise
    return Server(base_url, data_dir), process
