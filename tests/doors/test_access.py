"""Keys: on every door, in every form that clients send, with the scope that the route needs."""

import base64
import hmac
import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import Request
from fastapi.routing import iter_route_contexts

from doors.access import presented_key
from server import create_app
from teller.settings import Settings
from tests.support.server import start_server

HELLO = {"messages": [{"role": "user", "content": "Hello"}], "stream": False}
AGENT = {"input": {"messages": [{"role": "user", "content": "Hello"}]}}
KEYS = "web:web-key,phone:voice-key:voice,ops:admin-key:admin"


@pytest.fixture(scope="module")
def locked(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    data_dir = shutil.copytree(bank, tmp_path_factory.mktemp("locked") / "data")
    server, process = start_server(data_dir, API_KEYS=KEYS)
    with httpx.Client(base_url=server.base_url, timeout=30) as client:
        yield client
    process.terminate()
    process.communicate(timeout=10)


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"me:{key}".encode()).decode()


@pytest.mark.parametrize("header", ["Bearer web-key", "bearer web-key", "web-key", basic("web-key")])
def test_a_key_is_taken_in_every_form(locked: httpx.Client, header: str) -> None:
    headers = {"authorization": header}
    assert locked.post("/api/chat/completions/", json=HELLO, headers=headers).status_code == 200
    assert locked.post("/agent/invoke", json=AGENT, headers=headers).status_code == 200


OPEN = {"/api/health/", "/api/health", "/health/live", "/health/ready"}


def doors() -> list[tuple[str, str]]:
    """Return method and path of every route that the app has, their parameters filled in."""
    routes = list(iter_route_contexts(create_app(Settings(_env_file=None)).routes))
    assert all(route.methods for route in routes), "what is mounted has no keys"
    found = {
        (method, re.sub(r"\{[^}]+\}", "x", route.path or "")) for route in routes for method in route.methods or ()
    }
    return sorted(found)


DOORS = doors()
LOCKED = [(method, path) for method, path in DOORS if path not in OPEN]


def test_three_doors_are_open_and_the_others_are_not() -> None:
    paths = {path for _, path in DOORS}
    assert paths > OPEN
    assert {"/docs", "/openapi.json", "/docs/assets/x", "/v1/models", "/agent/playground/x"} <= paths - OPEN


@pytest.mark.parametrize(
    "header", ["", "Bearer wrong", "Bearer", "Basic !!!", b"Basic \xe9", basic("wrong"), "Bearer web-key2"]
)
@pytest.mark.parametrize(("method", "path"), LOCKED)
def test_no_door_opens_without_a_known_key(locked: httpx.Client, header: str | bytes, method: str, path: str) -> None:
    given = header if isinstance(header, bytes) else header.encode()
    response = locked.request(method, path, headers={b"authorization": given} if given else {})
    assert response.status_code == 401
    assert response.json()["error"]["type"] == "authentication_error"
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), LOCKED)
def test_every_door_asks_a_browser_for_the_key(locked: httpx.Client, method: str, path: str) -> None:
    for browser in ({"sec-fetch-site": "same-origin"}, {"user-agent": "Mozilla/5.0 (X11; Linux x86_64)"}):
        asked = locked.request(method, path, headers=browser)
        assert (asked.status_code, asked.headers["www-authenticate"][:6]) == (401, "Basic ")


@pytest.mark.parametrize("path", [path for method, path in LOCKED if method == "POST"])
def test_no_door_reads_the_body_of_a_stranger(locked: httpx.Client, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    with socket.create_connection((locked.base_url.host, locked.base_url.port or 80), timeout=20) as stranger:
        stranger.sendall(f"{head}Content-Length: 90\r\n\r\n".encode())
        assert stranger.recv(1000).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize(("method", "path"), LOCKED)
def test_every_door_knows_a_key_of_its_scope(locked: httpx.Client, method: str, path: str) -> None:
    needs_admin = "/upload" in path or method == "DELETE"
    for key, scope in (("web-key", "chat"), ("voice-key", "voice"), ("admin-key", "admin")):
        status = locked.request(method, path, headers={"authorization": f"Bearer {key}"}).status_code
        assert status not in (401, 500)
        assert (status == 403) is (needs_admin and scope != "admin")


def test_every_known_key_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    same = hmac.compare_digest

    def noting(known: bytes, given: bytes) -> bool:
        compared.append(known)
        return same(known, given)

    monkeypatch.setattr(hmac, "compare_digest", noting)
    app = create_app(Settings(api_keys=KEYS, _env_file=None))
    scope = {"type": "http", "app": app, "headers": [(b"authorization", b"Bearer web-key")]}
    found = presented_key(Request(scope))
    assert found is not None
    assert found.name == "web"
    assert compared == [b"web-key", b"voice-key", b"admin-key"], "not only up to the one that fits"


def test_what_needs_admin_is_refused_to_others(locked: httpx.Client) -> None:
    files = {"file": ("a.md", b"# Hi\n\nText of a document.", "text/markdown")}
    for key, status in (("web-key", 403), ("voice-key", 403), ("admin-key", 200)):
        response = locked.post("/api/documents/upload/", files=files, headers={"authorization": f"Bearer {key}"})
        assert response.status_code == status
        if status == 403:
            assert response.json()["error"]["code"] == "insufficient_scope"


def test_a_voice_key_speaks_as_on_the_phone(locked: httpx.Client) -> None:
    body = {
        "messages": [{"role": "user", "content": "block my card"}],
        "stream": False,
        "metadata": {"phone": "+1234567890"},
    }
    for key, answer in (("voice-key", "Shall I block"), ("web-key", "Done: I've blocked")):
        reply = locked.post("/api/chat/completions/", json=body, headers={"authorization": f"Bearer {key}"}).json()
        assert reply["choices"][0]["message"]["content"].startswith(answer)


def test_health_is_open_but_says_little_without_a_key(locked: httpx.Client) -> None:
    silent = locked.get("/api/health/").json()
    assert {part["message"] for part in silent["services"].values()} == {""}
    spoken = locked.get("/api/health/", headers={"authorization": "Bearer web-key"}).json()
    assert all(part["message"] for part in spoken["services"].values())
