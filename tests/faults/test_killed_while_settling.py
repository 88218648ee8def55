"""A server killed in the middle of a yes: the card is as it was or as it was asked, and what is then said is true."""

import json
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx
import pytest

from tests.support.server import Server, start_server

TOMAS = "+1234567891"
SETTLES = {"SETTLE_MS": "2000", "SETTLE_FINAL_MS": "2000"}
UNCHANGED = ("active", 0)


def asked(server: Server, messages: list[dict[str, str]]) -> str:
    """Return the whole reply to a call's messages."""
    body = {"messages": messages, "call": {"id": "killed"}, "customer": {"number": TOMAS}, "stream": False}
    reply = httpx.post(f"{server.base_url}/api/chat/completions", json=body, timeout=30)
    content: str = reply.json()["choices"][0]["message"]["content"]
    return content


def wish(data_dir: Path) -> str:
    """Return in which state the newest wish is."""
    with sqlite3.connect(data_dir / "teller.db", timeout=10) as ledger:
        (state,) = ledger.execute("SELECT state FROM pending ORDER BY number DESC LIMIT 1").fetchone()
    ledger.close()
    return str(state)


def visa(server: Server) -> tuple[str, int]:
    """Return the state of his Visa, and how many changes are counted, as the command line lists them."""
    holders: list[dict[str, Any]] = json.loads(server.teller("cards", "list", "--json"))
    tomas = next(holder for holder in holders if holder["phone"] == TOMAS)
    card = next(card for card in tomas["cards"] if card["last4"] == "4242")
    return card["state"], tomas["writes"]


def killed_once(server: Server, process: Popen[str], yes: list[dict[str, str]], state: str) -> None:
    """Say yes, and kill the server as soon as the wish is in that state."""

    def say() -> None:
        with suppress(httpx.TransportError):
            asked(server, yes)

    caller = threading.Thread(target=say)
    caller.start()
    deadline = time.monotonic() + 30
    while wish(server.data_dir) != state:
        assert time.monotonic() < deadline, f"the wish was never {state}"
        time.sleep(0.005)
    process.kill()
    process.wait()
    caller.join()


@pytest.mark.parametrize(
    ("words", "done", "told"),
    [
        ("block my visa", ("blocked", 1), "I've blocked your Everyday Visa"),
        ("my visa is lost, please report it", ("closed", 1), "I've closed your Everyday Visa"),
    ],
)
def test_a_server_killed_in_the_middle_of_a_yes(data_dir: Path, words: str, done: tuple[str, int], told: str) -> None:
    """Killed in the wait it has done nothing, and the same yes counts anew; killed after the write, that is told."""
    server, process = start_server(data_dir, **SETTLES)
    wishes = [{"role": "user", "content": words}]
    question = asked(server, wishes)
    assert question.endswith("four two four two?")
    yes = [*wishes, {"role": "assistant", "content": question}, {"role": "user", "content": "yes"}]

    killed_once(server, process, yes, "settling")
    assert visa(server) == UNCHANGED
    server, process = start_server(data_dir, **SETTLES)
    assert visa(server) == UNCHANGED

    killed_once(server, process, yes, "done")
    assert visa(server) == done
    server, process = start_server(data_dir, **SETTLES)
    try:
        assert told in asked(server, yes)
        assert visa(server) == done
        server.teller("cards", "audit", "--verify")
    finally:
        process.terminate()
        process.communicate(timeout=10)
