"""Keys: on every door, in every form that clients send, with the scope that the route needs."""

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

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


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Bearer", "Basic !!!", basic("wrong"), "Bearer web-key2"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/chat/completions/"),
        ("POST", "/v1/chat/completions"),
        ("GET", "/v1/models"),
        ("POST", "/agent/invoke"),
        ("POST", "/agent/stream"),
        ("GET", "/agent/playground/"),
        ("GET", "/api/documents/"),
        ("POST", "/api/documents/upload/"),
    ],
)
def test_no_door_opens_without_a_known_key(locked: httpx.Client, header: str, method: str, path: str) -> None:
    response = locked.request(method, path, headers={"authorization": header} if header else {})
    assert response.status_code == 401
    assert response.json()["error"]["type"] == "authentication_error"


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


def test_a_browser_is_asked_for_the_key(locked: httpx.Client) -> None:
    asked = locked.get("/agent/playground/", headers={"sec-fetch-site": "none"})
    assert asked.headers["www-authenticate"].startswith("Basic")
    assert locked.get("/agent/playground/").headers["www-authenticate"] == "Bearer"


def test_health_is_open_but_says_little_without_a_key(locked: httpx.Client) -> None:
    silent = locked.get("/api/health/").json()
    assert {part["message"] for part in silent["services"].values()} == {""}
    spoken = locked.get("/api/health/", headers={"authorization": "Bearer web-key"}).json()
    assert all(part["message"] for part in spoken["services"].values())
