"""Pages of the configured origins may call the API, and no others."""

import shutil
from pathlib import Path

import httpx

from tests.support.server import start_server

ASKS = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}


def test_the_configured_origins_may_call(bank: Path, tmp_path: Path) -> None:
    origins = "https://bank.example, https://app.bank.example"
    server, process = start_server(shutil.copytree(bank, tmp_path / "data"), CORS_ALLOWED_ORIGINS=origins)
    with httpx.Client(base_url=server.base_url) as http:
        allowed = http.options("/api/chat/completions/", headers={"origin": "https://app.bank.example", **ASKS})
        refused = http.options("/api/chat/completions/", headers={"origin": "https://evil.example", **ASKS})
    process.terminate()
    process.communicate(timeout=10)
    assert allowed.headers["access-control-allow-origin"] == "https://app.bank.example"
    assert "access-control-allow-origin" not in refused.headers
    assert (refused.status_code, refused.json()["error"]["type"]) == (400, "invalid_request_error")


def test_without_any_no_page_may(http: httpx.Client) -> None:
    answer = http.options("/api/chat/completions/", headers={"origin": "https://bank.example", **ASKS})
    assert "access-control-allow-origin" not in answer.headers
