"""`teller call`: a script against a running server, over HTTP."""

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from tests.support.server import ROOT, TELLER, Server, environment, free_port

CALLS = ROOT / "examples" / "calls"
QUICK = "speech: {words_per_second: 20, assistant_words_per_second: 20, endpointing: 0.05, reaction: 0}\n"


def call(server: Server, script: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    env = environment(server.data_dir, PORT=str(urlsplit(server.base_url).port), COLUMNS="200", **settings)
    return subprocess.run(
        [TELLER, "call", str(script), *arguments], env=env, capture_output=True, text=True, timeout=120, cwd=ROOT
    )


@pytest.fixture
def block(tmp_path: Path) -> Path:
    """The example that blocks a card, spoken fast."""
    script = tmp_path / "block.yaml"
    script.write_text(QUICK + (CALLS / "block_card.yaml").read_text("utf-8"))
    return script


def data(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


def test_it_shows_the_call_its_requests_and_the_ledger(server: Server, block: Path, tmp_path: Path) -> None:
    done = call(server, block, "--plot", str(tmp_path / "waits.svg"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "caller     I would like to block my card please" in done.stdout
    assert "I've blocked your Everyday Visa" in done.stdout
    assert "· final to replica 0: first word" in done.stdout
    assert "end of speech to first word" in done.stdout
    assert "ledger: +1234567890 1881 active → blocked, writes 1" in done.stdout
    assert "Block a card: 1 call, 10 expectations met, 0 not" in done.stdout
    picture = ElementTree.parse(tmp_path / "waits.svg").getroot()
    assert len(picture.findall("{http://www.w3.org/2000/svg}circle")) == 4  # two turns, in two of the rows


def test_json_has_turns_requests_latencies_expectations_and_the_ledger(server: Server, block: Path) -> None:
    told = data(call(server, block, "--json"))
    assert told["ok"]
    assert told["unjudged"] == 0
    (played,) = told["calls"]
    assert [turn["said"] for turn in played["turns"]] == ["I would like to block my card please", "yes please"]
    assert all(turn["requests"][-1]["first_word_ms"] > 0 for turn in played["turns"])
    assert all(check["met"] for check in played["checks"])
    assert told["latencies"]["turns"] == 2
    states = [told[when][0]["cards"][0]["state"] for when in ("ledger_before", "ledger_after")]
    assert states == ["active", "blocked"]


def test_an_expectation_that_is_not_met_is_told_and_is_exit_status_1(server: Server, tmp_path: Path) -> None:
    script = tmp_path / "wrong.yaml"
    script.write_text(f"{QUICK}steps:\n  - say: hello\n    expect: {{all: [unheard of]}}\n    writes: 3\n")
    done = call(server, script)
    assert done.returncode == 1
    assert "✗ step 1: says “unheard of” — Hello" in done.stdout
    assert "✗ step 1: writes 3 — 0" in done.stdout


def test_a_wrong_script_is_exit_status_2(server: Server, tmp_path: Path) -> None:
    script = tmp_path / "wrong.yaml"
    script.write_text("steps:\n  - say: hello\n    hear: x\n")
    done = call(server, script)
    assert done.returncode == 2
    assert done.stderr.strip() == f"{script}:3: steps.1.hear: is not known here"


def test_another_url_has_no_ledger_to_look_at(server: Server, block: Path) -> None:
    told = data(call(server, block, "--json", "--url", f"{server.base_url}/v1"))
    assert told["ok"]
    assert told["ledger_before"] is None
    assert told["unjudged"] == 4


def test_many_callers_call_at_once_from_their_numbers(server: Server, block: Path) -> None:
    numbers = ("--number", "+1234567890", "--number", "+1234567898")
    told = data(call(server, block, "--json", "--callers", "4", *numbers))
    assert len({call_id for played in told["calls"] for call_id in played["call_ids"]}) == 4
    assert [played["number"] for played in told["calls"]] == ["+1234567890", "+1234567898"] * 2
    assert sum(holder["writes"] for holder in told["ledger_after"]) == 2


def test_nobody_there_is_told(server: Server, block: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    done = call(server, block, "--url", f"{nobody}/v1")
    assert done.returncode == 1
    assert f"✗ step 1: an answer — no answer from {nobody}: nobody can be reached there" in done.stdout
    assert "assistant   — cut" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("--url", "localhost"), "is no URL of a server"), (("--url", "http://h:70000/v1"), "Port out of range"),
     (("--number", "12"), "is no phone number"), (("--callers", "0"), "Invalid value")],
)  # fmt: skip
def test_a_wrong_argument_is_told(server: Server, block: Path, arguments: tuple[str, ...], told: str) -> None:
    done = call(server, block, *arguments)
    assert done.returncode == 2
    assert told in done.stderr
