"""The pages, in a real browser: they work, and they ask no other host for anything."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.support.server import Server, start_server

KEY = "web-key"
CHROMIUM = shutil.which("chromium")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: the pages were not looked at")


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"]
        arguments.append("--host-resolver-rules=MAP bank.test 127.0.0.1")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser.new_page()
        browser.close()


def foreign_requests(page: Page, server: Server) -> list[str]:
    """Return a list that fills with what the page asks of any other host."""
    found: list[str] = []
    own = (server.base_url, "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(own) else found.append(request.url))
    return found


def test_a_conversation_in_the_playground(page: Page, server: Server) -> None:
    foreign = foreign_requests(page, server)
    page.goto(f"{server.base_url}/agent/playground/", wait_until="networkidle")
    for question, answer in (("What loan options are available?", "personal loans"), ("Hello", "Teller")):
        box = page.get_by_role("textbox").last
        box.fill(question)
        box.press("Enter")
        page.get_by_text(answer, exact=False).last.wait_for(timeout=15_000)
    assert foreign == []


def test_the_docs_show_the_chat_route(page: Page, server: Server) -> None:
    foreign = foreign_requests(page, server)
    page.goto(f"{server.base_url}/docs")
    page.get_by_text("/api/chat/completions/", exact=False).first.wait_for(timeout=15_000)
    assert foreign == []


@pytest.fixture
def locked(bank: Path, tmp_path: Path) -> Iterator[Server]:
    server, process = start_server(shutil.copytree(bank, tmp_path / "data"), API_KEYS=f"web:{KEY}")
    yield server
    process.terminate()
    process.communicate(timeout=10)


def questions_for_the_key(page: Page) -> list[str]:
    """Answer the browser's questions for user and password with the key, and return a list that fills with them."""
    asked: list[str] = []
    browser = page.context.new_cdp_session(page)

    def answer(event: dict[str, Any]) -> None:
        asked.append(event["request"]["url"])
        given = {"response": "ProvideCredentials", "username": "me", "password": KEY}
        browser.send("Fetch.continueWithAuth", {"requestId": event["requestId"], "authChallengeResponse": given})

    def go_on(event: dict[str, Any]) -> None:
        browser.send("Fetch.continueRequest", {"requestId": event["requestId"]})

    browser.on("Fetch.authRequired", answer)
    browser.on("Fetch.requestPaused", go_on)
    browser.send("Fetch.enable", {"handleAuthRequests": True})
    return asked


@pytest.mark.parametrize("host", ["127.0.0.1", "bank.test"])
def test_the_playground_asks_for_the_key_once_and_then_works(page: Page, locked: Server, host: str) -> None:
    """At an address that is neither this machine nor HTTPS a browser does not say that it is one."""
    asked = questions_for_the_key(page)
    page.goto(f"{locked.base_url.replace('127.0.0.1', host)}/agent/playground/", wait_until="networkidle")
    for question, answer in (("What loan options are available?", "personal loans"), ("Hello", "Teller")):
        box = page.get_by_role("textbox").last
        box.fill(question)
        box.press("Enter")
        page.get_by_text(answer, exact=False).last.wait_for(timeout=15_000)
    page.goto(f"{locked.base_url.replace('127.0.0.1', host)}/docs")
    page.get_by_text("/api/chat/completions/", exact=False).first.wait_for(timeout=15_000)
    assert len(asked) == 1
