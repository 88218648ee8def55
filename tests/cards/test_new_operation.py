"""A new operation touches four places. Shown by adding one, "defer", to a copy of the checkout, and talking to it.

1. Policy: its name in `teller/cards/records.py`; its rule, and the states of a card that it is for, in
   `teller/cards/policy.py` (`python -m teller.cards.policy_page` makes the page in the docs anew).
2. Ledger: what it does to a card, a case in `teller/cards/commits.py`. One that only moves a card from state to state
   needs none: `TRANSITIONS` says it all.
3. Sentences: what is asked and told, in `prompts/cards.yaml`.
4. Utterances: how callers put it, in `prompts/intents.yaml`.
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
        print(await talk.say("can I pay my card bill a month later please"))
        print(await talk.say("yes"))
        print((await listing(services.ledger))[0]["cards"][0]["due_date"])

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


def add_policy(checkout: Path) -> None:
    cards = checkout / "teller" / "cards"
    edit(cards / "records.py", '    BLOCK = "block"\n', '    BLOCK = "block"\n    DEFER = "defer"\n')
    status = "    Operation.STATUS: Rule("
    rule = '    Operation.DEFER: Rule("none", Trust.CLAIMED, voice="yes", chat="yes", verbs=_verbs("defer put")),\n'
    edit(cards / "policy.py", status, rule + status)
    block = "    Operation.BLOCK: {_ACTIVE: _BLOCKED},\n"
    edit(cards / "policy.py", block, block + "    Operation.DEFER: {_ACTIVE: _ACTIVE},\n")


def add_to_ledger(checkout: Path) -> None:
    before = "        case operation:\n            moved = "
    case = """\
        case Operation.DEFER:
            later = card.due_date and card.due_date + timedelta(days=30)
            deferred = replace(card, due_date=later, version=card.version + 1)
            await orders.store(write, deferred)
            return deferred, None
"""
    edit(checkout / "teller" / "cards" / "commits.py", before, case + before)


def add_sentences(checkout: Path) -> None:
    file = checkout / "prompts" / "cards.yaml"
    texts = yaml.safe_load(file.read_text("utf-8"))
    texts["confirm"]["defer"] = "Shall I put off the bill of your {card} by a month?"
    texts["which"]["defer"] = "Which card's bill shall I put off: {cards}?"
    done = "The bill of your {card} is due a month later."
    texts["done"]["defer"] = {"changed": done, "unchanged": done}
    texts["unchanged"]["defer"] = dict.fromkeys(("inactive", "active", "blocked", "closed"), "Nothing is due there.")
    file.write_text(yaml.safe_dump(texts), "utf-8")


def add_utterances(checkout: Path) -> None:
    file = checkout / "prompts" / "intents.yaml"
    said = [f"{wish} my card bill {when}" for wish in ("pay", "can I pay") for when in ("a month later", "next month")]
    intents = yaml.safe_load(file.read_text("utf-8"))
    utterances = [*said, "put off my card bill by a month", "defer my card payment please"]
    intents.append({"route": "card", "intent": "defer", "utterances": utterances})
    file.write_text(yaml.safe_dump(intents), "utf-8")


def test_a_new_operation_touches_four_places(checkout: Path, data_dir: Path) -> None:
    for add in (add_policy, add_to_ledger, add_sentences, add_utterances):
        add(checkout)
    done = subprocess.run(
        [sys.executable, "-c", TALK, str(data_dir)],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == [
        "Shall I put off the bill of your Everyday Visa ending 1881 by a month?",
        "The bill of your Everyday Visa ending 1881 is due a month later.",
        "2027-01-13",
    ]
