"""PINs, card numbers and phone numbers are planted through every door, and no sink holds them.

The sinks: replies of all doors, error bodies, the log, what a LangSmith client sends, what a hosted model is asked, and
the files of the data folder. Phone numbers stand in the ledger's `phone` columns, and nowhere else.
"""

import json
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from tests.support.bedrock.client import BedrockWire
from tests.support.server import TELLER, Server, environment, start_server

PHONE = "+1234567892"
PINS = (
    "8162",
    "8 1 6 2",
    "eight one six two",
    "eighty-one sixty-two",
    "Eight, one, six, two",
    "User's Keypad Entry: 8162",
    "8264",
    "double eight two six",
)
CARD_NUMBERS = (
    "4111111111111111",
    "4111 1111 1111 1111",
    "5500-0000-0000-0004",
    "four one one one, one one one one, one one one one, one one one one",
    "fifty-five hundred zero zero zero zero zero zero zero zero zero zero zero four",
)
QUESTION = "What loan options are available?"
KEY = "sk-planted-key"

LEAKS = re.compile(
    "|".join(
        [
            r"(?<![0-9a-z.\-])(?:8162|8264)(?![0-9a-z])",
            r"8[\s,.\-]1[\s,.\-]6[\s,.\-]2",
            *(re.escape(pin) for pin in PINS if not pin[0].isdigit()),
            r"41{3}[ \-]?1{4}[ \-]?1{4}[ \-]?1{4}",
            r"5500[ \-]?0000[ \-]?0000[ \-]?0004",
            *(re.escape(number) for number in CARD_NUMBERS if not number[0].isdigit()),
            re.escape(KEY),
        ]
    ),
    re.IGNORECASE,
)
PHONES = re.compile(r"\+?123[ \-]?456[ \-]?7892\b")


class Collector(ThreadingHTTPServer):
    """Takes what a LangSmith client sends, and keeps it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Collecting)
        self.taken: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Collecting(BaseHTTPRequestHandler):
    server: Collector

    def do_GET(self) -> None:
        self._answer({})  # an old server, then: the client takes its own defaults

    def do_POST(self) -> None:
        chunked = self.headers.get("transfer-encoding") == "chunked"
        body = b"".join(self._chunks()) if chunked else self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.taken.append(body.decode(errors="replace"))
        self._answer({})

    do_PATCH = do_POST  # noqa: N815 (http.server names it so)

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _answer(self, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@dataclass
class Sinks:
    """What came out of the server, by where it came out."""

    data_dir: Path
    texts: dict[str, list[str]] = field(default_factory=dict)

    def take(self, sink: str, text: str) -> None:
        self.texts.setdefault(sink, []).append(text)

    def of(self, sink: str) -> str:
        return "\n".join(self.texts[sink])


def conversations() -> Iterator[list[dict[str, str]]]:
    """Give conversations with secrets in them: in the last turn, in earlier ones, with a question and alone."""
    asked = [
        {"role": "user", "content": "what's my balance"},
        {"role": "assistant", "content": "To see that it's you, can you say or key in the four digits of your PIN?"},
    ]
    told = {"role": "assistant", "content": "That wasn't right."}
    for place, pin in enumerate(PINS):
        yield [*asked, {"role": "user", "content": pin}]
        yield (
            [{"role": "user", "content": f"My PIN is {pin}. {QUESTION}"}],
            [*asked, {"role": "user", "content": pin}, told, {"role": "user", "content": QUESTION}],
            [*asked, {"role": "user", "content": f"well, {pin} I think"}],
            [*asked, {"role": "assistant", "content": ""}, {"role": "user", "content": f"{pin} and {QUESTION}"}],
        )[place % 4]
    for number in CARD_NUMBERS:
        yield [{"role": "user", "content": f"My card number is {number}. {QUESTION}"}]
        yield [{"role": "user", "content": f"block {number}"}, {"role": "assistant", "content": number}]
        yield [{"role": "user", "content": number}, told, {"role": "user", "content": QUESTION}]
    yield [{"role": "user", "content": f"My number is {PHONE}. {QUESTION}"}]
    yield [{"role": "user", "content": f"{QUESTION} [phone: {PHONE}]"}]
    yield [{"role": "system", "content": f"[phone: {PHONE}]"}, {"role": "user", "content": QUESTION}]


def chat(http: httpx.Client, sinks: Sinks, messages: list[dict[str, str]], number: int) -> None:
    call = {"call": {"id": f"c{number}"}, "customer": {"number": PHONE}}
    named: dict[str, Any] = {"metadata": {"phone": PHONE, "conversation_id": f"m{number}"}}
    for stream, who in ((True, call), (False, named)):
        reply = http.post("/api/chat/completions/", json={"messages": messages, "stream": stream, **who})
        assert reply.status_code == 200, reply.text
        sinks.take("chat completions", f"{reply.headers}\n{whole(reply.text)}")


def whole(text: str) -> str:
    """Return a reply with the pieces of its stream joined, beside the stream itself."""
    return text + "".join(re.findall(r'"content":"((?:[^"\\]|\\.)*)"', text))


def langserve(http: httpx.Client, sinks: Sinks, messages: list[dict[str, str]]) -> None:
    asked = {"messages": messages, "caller": {"phone": PHONE, "conversation_id": "l"}}
    for route in ("invoke", "stream", "stream_log", "stream_events"):
        reply = http.post(f"/agent/{route}", json={"input": asked})
        assert reply.status_code == 200, reply.text
        sinks.take("langserve", reply.text)
    sinks.take("langserve", http.post("/agent/batch", json={"inputs": [asked, asked]}).text)


def errors(http: httpx.Client, sinks: Sinks) -> None:
    said = {"role": "user", "content": f"My PIN is 8162, my card 4111111111111111, my number {PHONE}"}
    wrong: list[Any] = [
        {"messages": [said], "temperature": "8162"},
        {"messages": [said], "metadata": [PHONE, "8162"]},
        {"messages": [{**said, "role": "8162"}]},
        {"messages": [{**said, "content": {"pin": "8162"}}]},
        {"messages": [said], "model": "4111111111111111"},
        {"messages": [said], "tool_choice": {"type": "function", "function": {"name": "8162"}}},
        {"input": {"messages": [said], "caller": {"phone": [PHONE]}}},
        {"input": {"messages": [{**said, "role": "8162"}]}},
        {"input": {"messages": said}},
        [said],
        "My PIN is 8162",
    ]
    for path in ("/api/chat/completions/", "/agent/invoke", "/agent/stream", "/agent/stream_log", "/api/vapi/events"):
        for body in wrong:
            sinks.take("errors", http.post(path, json=body).text)
        sinks.take("errors", http.post(path, content=b'{"messages": [{"content": "My PIN is 8162"').text)
    sinks.take("errors", http.post("/api/chat/completions/", json={"messages": [said] * 2_000}).text)
    unauthorized = http.post("/api/chat/completions/", json={"messages": [said]}, headers={"authorization": "8162"})
    sinks.take("errors", unauthorized.text)
    assert unauthorized.status_code == 401


def at_the_terminal(sinks: Sinks, settings: dict[str, str], data_dir: Path) -> None:
    for said in (f"My PIN is 8162, my card is 4111 1111 1111 1111. {QUESTION}",):
        done = subprocess.run(
            [TELLER, "ask", said, "--phone", PHONE],
            env=environment(data_dir, **settings),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        sinks.take("terminal", done.stdout + done.stderr)


@pytest.fixture(scope="module")
def planted(bank: Path, wire: BedrockWire, tmp_path_factory: pytest.TempPathFactory) -> Sinks:
    """Plant everything through every door of a server that logs, traces and asks a hosted model."""
    data_dir = shutil.copytree(bank, tmp_path_factory.mktemp("private") / "data")
    collector = Collector()
    Thread(target=collector.serve_forever, daemon=True).start()
    settings = {
        "CHAT_MODEL": "amazon.nova-lite-v1:0",
        "LOG_LEVEL": "debug",
        "API_KEYS": f"planted:{KEY}:admin",
        "RATE_LIMIT_PER_CALLER": "",
        "SETTLE_MS": "20",
        "LANGSMITH_TRACING": "true",
        "LANGSMITH_ENDPOINT": collector.url,
        "LANGSMITH_API_KEY": "collected",
        "LANGSMITH_DISABLE_RUN_COMPRESSION": "true",
        **wire.environment(),
    }
    server, process = start_server(data_dir, **settings)
    sinks = Sinks(data_dir)
    try:
        plant(server, sinks)
        at_the_terminal(sinks, settings, data_dir)
    finally:
        process.terminate()
        process.communicate(timeout=20)
        collector.shutdown()
        collector.server_close()
    for request in wire.requests():
        sinks.take("upstream", json.dumps([request.body, dict(request.headers), request.path], ensure_ascii=False))
    sinks.texts["trace"] = collector.taken
    sinks.take("log", (data_dir / "server.log").read_text())
    return sinks


def plant(server: Server, sinks: Sinks) -> None:
    with httpx.Client(base_url=server.base_url, timeout=60, headers={"authorization": f"Bearer {KEY}"}) as http:
        for number, messages in enumerate(conversations()):
            chat(http, sinks, messages, number)
            if number % 5 == 0:
                langserve(http, sinks, messages)
        errors(http, sinks)
        sinks.take("errors", http.get("/metrics").text)


EXPECTED = {
    "chat completions": "served|choices",
    "langserve": "run_id",
    "errors": "invalid_request_error",
    "terminal": r"\w",
    "upstream": "loan options are available",
    "trace": r"\[digits\]",
    "log": "served",
}
"""What each sink holds if it is one: the greps below would pass on nothing."""


@pytest.mark.parametrize("sink", EXPECTED)
def test_no_pin_and_no_card_number_comes_out(planted: Sinks, sink: str) -> None:
    text = planted.of(sink)
    assert re.search(EXPECTED[sink], text)
    assert sorted({around(text, found) for found in LEAKS.finditer(text)}) == []


@pytest.mark.parametrize("sink", EXPECTED)
def test_no_phone_number_comes_out(planted: Sinks, sink: str) -> None:
    text = planted.of(sink)
    assert sorted({around(text, found) for found in PHONES.finditer(text)}) == []


def test_the_files_hold_no_pin_and_no_card_number(planted: Sinks) -> None:
    ledger = [path for path in planted.data_dir.iterdir() if path.name.startswith("teller.db")]
    assert ledger
    for path in ledger:
        text = path.read_bytes().decode("latin-1")
        assert sorted({around(text, found) for found in LEAKS.finditer(text)}) == [], path.name
    for path in planted.data_dir.iterdir():
        kept = path.read_bytes().lower()
        assert [
            secret for secret in (*PINS, *CARD_NUMBERS) if len(secret) > 4 and secret.lower().encode() in kept
        ] == []


def test_phone_numbers_stand_in_the_ledgers_phone_columns_only(planted: Sinks) -> None:
    with sqlite3.connect(planted.data_dir / "teller.db") as ledger:
        names = [row[0] for row in ledger.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert {"holder", "pending", "audit", "proof"} <= set(names)
        for table in names:
            cursor = ledger.execute(f"SELECT * FROM {table}")
            columns = [column[0] for column in cursor.description]
            for row in cursor:
                found = {name for name, value in zip(columns, row, strict=True) if PHONES.search(str(value))}
                assert found <= {"phone"}, (table, found)
                assert table != "audit" or not found
    ledger.close()


def around(text: str, found: re.Match[str]) -> str:
    return text[max(0, found.start() - 60) : found.end() + 30]
