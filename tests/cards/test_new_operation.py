"""A new operation touches four places. Shown by adding one, "pause", to a copy of the checkout, and talking to it.

1. `teller/cards/records.py`: its name. 2. `teller/cards/policy.py`: its rule, and what it makes of a card. 3. its
sentences in `prompts/cards.yaml`. 4. its utterances in `prompts/intents.yaml`. One that does more than move a card from
state to state needs its case in `commits._change`, too; the page of the policy is made anew.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.server import ROOT

TALK = """
import asyncio, sys
from pathlib import Path
from graph.workflow import build_workflow
from teller.cards.demo import listing
from teller.services import Services
from teller.settings import Settings
from tests.support.conversation import Conversation

async def main():
    async with Services.opened(Settings(data_dir=Path(sys.argv[1]), _env_file=None)) as services:
        talk = Conversation(await build_workflow(services), "+1234567890")
        print(await talk.say("please put my card on pause while I am travelling"))
        print(await talk.say("yes"))
        print((await listing(services.ledger))[0]["cards"][0]["state"])

asyncio.run(main())
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the new operation needs."""
    for room in ("teller", "graph", "tools", "prompts"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests" / "support", tmp_path / "tests" / "support")
    return tmp_path


def edit(file: Path, before: str, after: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(before) == 1
    file.write_text(text.replace(before, after), "utf-8")


def add_operation(checkout: Path) -> None:
    cards = checkout / "teller" / "cards"
    edit(cards / "records.py", '    BLOCK = "block"\n', '    BLOCK = "block"\n    PAUSE = "pause"\n')
    block = "    Operation.BLOCK: {_ACTIVE: _BLOCKED},\n"
    edit(cards / "policy.py", block, block + block.replace("BLOCK:", "PAUSE:"))
    status = "    Operation.STATUS: Rule("
    rule = '    Operation.PAUSE: Rule("none", Trust.CLAIMED, voice="yes", chat="yes", verbs=_verbs("pause")),\n'
    edit(cards / "policy.py", status, rule + status)

    sentences = checkout / "prompts" / "cards.yaml"
    texts = yaml.safe_load(sentences.read_text("utf-8"))
    texts["confirm"]["pause"] = "Shall I pause your {card}?"
    texts["which"]["pause"] = "Which card shall I pause: {cards}?"
    texts["done"]["pause"] = {"changed": "Your {card} is paused.", "unchanged": "Your {card} was paused already."}
    texts["unchanged"]["pause"] = dict.fromkeys(("inactive", "active", "blocked", "closed"), "Nothing to pause.")
    sentences.write_text(yaml.safe_dump(texts), "utf-8")

    utterances = checkout / "prompts" / "intents.yaml"
    said = [
        f"{wish} my card on pause{why}" for wish in ("put", "can you put") for why in ("", " while I am travelling")
    ]
    intents = yaml.safe_load(utterances.read_text("utf-8"))
    intents.append(
        {"route": "card", "intent": "pause", "utterances": [*said, "pause my card", "pause the visa please"]}
    )
    utterances.write_text(yaml.safe_dump(intents), "utf-8")


def test_a_new_operation_touches_four_places(checkout: Path, data_dir: Path) -> None:
    add_operation(checkout)
    done = subprocess.run(
        [sys.executable, "-c", TALK, str(data_dir)],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == [
        "Shall I pause your Everyday Visa ending 1881?",
        "Your Everyday Visa ending 1881 is paused.",
        "blocked",
    ]
