"""The pages, in a real browser: they work, and they ask no other host for anything."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.support.server import Server

CHROMIUM = shutil.which("chromium")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: the pages were not looked at")


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"]
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
