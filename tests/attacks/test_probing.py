"""Asking what exists: a card of somebody else is told like a card that nobody has, and so is a number."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.family import API_KEYS, KEYS
from tests.support.virtual_time import Replicas, replicas, run

MAYA, SOMEBODY, NOBODY = "+1234567890", "+1234567891", "+15550007777"
REAL, MADE_UP = ("4242", "7719", "0356", "5150"), ("4243", "7718", "0357", "5151")
QUESTIONS = (
    "does the card ending {} exist",
    "is the card ending {} blocked",
    "block the card ending {}",
    "what is the balance of the card ending {}",
    "I lost the card ending {}",
    "unblock the card ending {}, my PIN is 2946",
)


async def ask(bank: Replicas, words: str, key: str, **body: Any) -> str:
    """The reply, without the digits that were asked about."""
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    given = {"messages": [{"role": "user", "content": words}], "stream": False, **body}
    async with bank.transports[0].post("/api/chat/completions/", json.dumps(given).encode(), headers) as reply:
        answer = json.loads(b"".join([part async for part in reply.body]))
    content: str = answer["choices"][0]["message"]["content"]
    return re.sub("|".join(REAL + MADE_UP), "CARD", content)


def pairs(data_dir: Path, asked: list[tuple[str, dict[str, Any], dict[str, Any]]], **settings: Any) -> list[Any]:
    """The replies to each question with what exists and with what does not."""

    async def work() -> list[Any]:
        async with replicas(data_dir, api_keys=API_KEYS, **settings) as bank:
            told = []
            for words, one, other in asked:
                first, second = (words.format(given.pop("card", "")) for given in (one, other))
                told.append((await ask(bank, first, KEYS["web"], **one), await ask(bank, second, KEYS["web"], **other)))
            return told

    return run(work())


@pytest.fixture
def data_dir(bank: Path, tmp_path: Path) -> Path:
    return shutil.copytree(bank, tmp_path / "data")


def test_a_card_of_somebody_else_is_told_like_one_that_nobody_has(data_dir: Path) -> None:
    caller = {"customer": {"number": MAYA}}
    asked = [
        (question, {**caller, "card": real}, {**caller, "card": made_up})
        for question in QUESTIONS
        for real, made_up in zip(REAL, MADE_UP, strict=True)
    ]
    assert [told for told in pairs(data_dir, asked) if told[0] != told[1]] == []


def test_a_number_that_is_not_trusted_is_told_alike_whether_it_has_cards_or_not(data_dir: Path) -> None:
    asked = [
        (words, {"metadata": {"phone": SOMEBODY}}, {"metadata": {"phone": NOBODY}})
        for words in ("is my card blocked", "block my card", "what is my balance, my PIN is 2946")
    ]
    told = pairs(data_dir, asked, min_caller_trust="network")
    assert [pair for pair in told if pair[0] != pair[1]] == []
