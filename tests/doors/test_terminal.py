"""The `teller` command."""

import json
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.server import ROOT, TELLER, environment, free_port


def teller(data_dir: Path, *arguments: str, given: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    env = environment(data_dir, **settings)
    return subprocess.run([TELLER, *arguments], env=env, capture_output=True, text=True, input=given, timeout=120)


def test_ask_answers_from_the_documents(data_dir: Path) -> None:
    done = teller(data_dir, "ask", "What loan options are available?")
    assert done.returncode == 0, done.stderr
    assert "personal loans" in done.stdout.lower()


def test_ask_without_a_question_is_a_conversation(data_dir: Path) -> None:
    done = teller(data_dir, "ask", "--phone", "+1234567891", given="block my card\nthe gold one\n\n")
    assert "Which card shall I block" in done.stdout
    assert "blocked your Gold Mastercard ending 7719" in done.stdout


def test_ask_refuses_a_phone_that_is_none(data_dir: Path) -> None:
    done = teller(data_dir, "ask", "hello", "--phone", "abc")
    assert done.returncode == 2
    assert "is no phone number" in done.stderr


def test_cards_list_and_reset(data_dir: Path) -> None:
    teller(data_dir, "ask", "block my card", "--phone", "+1234567890")
    listed = json.loads(teller(data_dir, "cards", "list", "--json").stdout)
    assert (listed[0]["cards"][0]["state"], listed[0]["writes"]) == ("blocked", 1)
    assert teller(data_dir, "cards", "reset").returncode == 0
    listed = json.loads(teller(data_dir, "cards", "list", "--json").stdout)
    assert (listed[0]["cards"][0]["state"], listed[0]["writes"]) == ("active", 0)


def test_the_audit_trail_is_whole_and_names_nobody(data_dir: Path) -> None:
    teller(data_dir, "ask", "block my card", "--phone", "+1234567890")
    done = teller(data_dir, "cards", "audit", "--verify")
    assert "The chain is whole" in done.stdout
    assert "1234567890" not in done.stdout


def test_ingest_makes_a_document_answerable(data_dir: Path, tmp_path: Path) -> None:
    document = tmp_path / "pets.md"
    document.write_text(
        "---\ntitle: Pets in branches\n---\n## Dogs\n\nA Larkfield branch welcomes well-behaved dogs on a leash.\n"
    )
    done = teller(data_dir, "ingest", str(document), "--collection", "pets")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "leash" in teller(data_dir, "ask", "Can I bring my dog into a branch?").stdout


def test_ingest_of_a_folder_tells_what_became_of_each_file(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, text in (("a.md", "# A\n\nOne."), ("b.txt", "Two."), ("c.html", "<h1>C</h1><p>Three.")):
        (folder / name).write_text(text)
    first = teller(data_dir, "ingest", str(folder))
    assert first.returncode == 0, first.stderr
    assert first.stdout == "3 added, 0 changed, 0 unchanged, 0 removed, 0 refused\n"
    assert "3/3" in first.stderr
    (folder / "a.md").write_text("# A\n\nOne more.")
    (folder / "b.txt").unlink()
    (folder / "d.md").write_text("Four.")
    (folder / "photo.png").write_bytes(b"\x89PNG")
    with (folder / "large.txt").open("wb") as large:
        large.truncate(50_000_000)
    again = teller(data_dir, "ingest", str(folder))
    assert again.returncode == 1
    *refused, counts = again.stdout.splitlines()
    assert counts == "1 added, 1 changed, 1 unchanged, 1 removed, 2 refused"
    assert [line.partition(":")[0] for line in refused] == ["refused large.txt", "refused photo.png"]
    assert "larger than 10 MB: split it" in refused[0]


def test_eval_routing_reports(data_dir: Path) -> None:
    figures = json.loads(teller(data_dir, "eval", "routing", str(ROOT / "bench/sets/routing.jsonl"), "--json").stdout)
    assert figures["turns"] == 319
    assert figures["strict"] > 0.85


def test_check_says_what_is_wrong(data_dir: Path) -> None:
    assert teller(data_dir, "check").returncode == 0
    wrong = teller(data_dir, "check", PORT="seventy")
    assert wrong.returncode == 1
    assert "PORT" in wrong.stdout


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"PORT": "99999"}, "PORT"),
        ({"API_KEYS": "nameonly"}, "API_KEYS"),
        ({"API_KEYS": "a:secret:boss"}, "API_KEYS"),
        ({"API_KEYS": "a:secret,b:geheimnüs"}, "entry 2 has a key with a letter beyond ASCII"),
        ({"BANK_TIMEZONE": "Mars/Base"}, "BANK_TIMEZONE"),
        ({"MIN_CALLER_TRUST": "blind"}, "MIN_CALLER_TRUST"),
        ({"CHAT_MODEL": "gpt-4"}, "gpt-4 is no chat model"),
        ({"OPENSEARCH_URL": "ftp://me:secret@search.example"}, "OPENSEARCH_URL"),
        ({"DATABASE_URL": "postgresql://localhost/bank"}, "set PIN_PEPPER and AUDIT_KEY too"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(data_dir: Path, settings: dict[str, str], told: str) -> None:
    done = teller(data_dir, "serve", **{"PORT": str(free_port()), **settings})
    assert done.returncode == 1
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "secret" not in done.stderr


def test_a_port_that_is_taken_is_told_so(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = teller(data_dir, "serve", PORT=str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "set another, such as PORT=8080" in done.stderr
