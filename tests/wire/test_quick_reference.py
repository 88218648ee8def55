"""test_openai_endpoint.sh passes against a real server, and fails loudly against anything less."""

import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.support.server import ROOT, Server, environment, free_port, start_server

SCRIPT = ROOT / "test_openai_endpoint.sh"


def run(base_url: str, home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    env = environment(home, **settings)
    return subprocess.run([SCRIPT, base_url], env=env, capture_output=True, text=True, timeout=120)


def test_every_promise_holds_and_a_second_run_says_what_it_met(server: Server, tmp_path: Path) -> None:
    first = run(server.base_url, tmp_path)
    assert first.returncode == 0, first.stdout
    assert "FAIL" not in first.stdout
    assert "blocks it and says so" in first.stdout
    second = run(f"{server.base_url}/", tmp_path)
    assert second.returncode == 0, second.stdout
    assert "teller cards reset" in second.stdout


def test_the_card_that_it_blocked_is_blocked_in_the_ledger(server: Server, tmp_path: Path) -> None:
    run(server.base_url, tmp_path)
    assert '"last4": "1881",\n        "state": "blocked"' in server.teller("cards", "list", "--json")


def test_it_needs_the_key_of_a_server_that_has_one(data_dir: Path, tmp_path: Path) -> None:
    server, process = start_server(data_dir, API_KEYS="tests:s3cret")
    try:
        right = run(server.base_url, tmp_path, API_KEY="s3cret")
        assert right.returncode == 0, right.stdout
        assert "PASS  a wrong key: a 401" in right.stdout
        assert run(server.base_url, tmp_path).returncode == 1
        assert run(server.base_url, tmp_path, API_KEY="wrong").returncode == 1
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_a_server_that_is_not_there_fails(tmp_path: Path) -> None:
    done = run(f"http://127.0.0.1:{free_port()}", tmp_path)
    assert done.returncode != 0
    assert "can't be reached" in done.stdout


@pytest.fixture
def yes_man() -> Iterator[str]:
    """A server that answers 200 and an empty object to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_server_that_says_yes_to_everything_fails(yes_man: str, tmp_path: Path) -> None:
    done = run(yes_man, tmp_path)
    assert done.returncode != 0
    assert "PASS" not in done.stdout
