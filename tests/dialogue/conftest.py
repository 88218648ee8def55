"""Calls to Teller in virtual time: minutes on the phone take milliseconds, and every wait is exact."""

import json
import shutil
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from simulator import virtual_time
from simulator.call import Call
from simulator.script import Setting, Speech, Transcript
from teller.cards import demo
from teller.cards.audit import AuditEntry
from teller.cards.pin import hash_pin
from teller.services import pin_pepper
from tests.support.virtual_time import Replicas, replicas, run, running

MAYA, TOMAS, RUTH, JONAS, PRIYA, SAMUEL, ELENA, BEN, NOOR, CHARLES = (f"+123456789{place}" for place in range(10))
SETTING = Setting(opening="Hello.", speech=Speech(endpointing=0.1), transcript=Transcript())


@dataclass
class Phone:
    """A caller's phone, and a look at the ledger."""

    bank: Replicas
    calls: int = 0

    async def call(self, number: str, setting: Setting = SETTING) -> Call:
        self.calls += 1
        call = Call(setting, self.bank.line, number=number, call_id=f"call-{self.calls}", clock=virtual_time.now)
        await call.begin()
        return call

    async def ask(self, call: Call, body: dict[str, Any], *, seconds_ago: float) -> str:
        """Send a request of this call that was made a while ago, and return the whole reply."""
        sent = virtual_time.now() - timedelta(seconds=seconds_ago)
        whole = {"call": {"id": call.call_id}, "customer": {"number": call.number}, "stream": False, **body}
        whole["timestamp"] = round(sent.timestamp() * 1000)
        return await self.post(whole)

    async def post(self, body: Mapping[str, Any], replica: int = -1) -> str:
        """Send a request as it is, and return the whole reply."""
        whole = json.dumps({"stream": False, **body}).encode()
        headers = {"content-type": "application/json"}
        async with self.bank.transports[replica].post("/api/chat/completions/", whole, headers) as reply:
            answer = json.loads(b"".join([part async for part in reply.body]))
        content: str = answer["choices"][0]["message"]["content"]
        return content

    async def audit(self, *events: str) -> Sequence[AuditEntry]:
        """Return what the audit trail holds of these events since the demo began anew, oldest first."""
        entries = [row.entry for row in await self.bank.services.ledger.audit_trail()]
        began = max(place for place, entry in enumerate(entries) if entry.event in ("reset", "seeded"))
        return [entry for entry in entries[began:] if entry.event in events]

    async def states(self, number: str) -> dict[str, str]:
        holder = next(holder for holder in await self.bank.ledger() if holder["phone"] == number)
        return {card["last4"]: card["state"] for card in holder["cards"]}

    async def writes(self, number: str) -> int:
        writes: int = next(holder["writes"] for holder in await self.bank.ledger() if holder["phone"] == number)
        return writes


Talk = Callable[[Phone], Awaitable[None]]
Play = Callable[..., None]


@pytest.fixture
def play(data_dir: Path) -> Play:
    """Play what happens on the phone, in virtual time, against so many replicas of a server."""

    def played(what: Talk, count: int = 1, **settings: Any) -> None:
        async def work() -> None:
            async with replicas(data_dir, count, **settings) as bank:
                await what(Phone(bank))
                await bank.at_rest()

        run(work())

    return played


@pytest.fixture(scope="module")
def open_bank(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """Two replicas that serve all tests of a module, one after the other: a start takes longer than most calls."""
    with running() as run_in_it, pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "hash_pin", cache(hash_pin))
        serving = replicas(shutil.copytree(bank, tmp_path_factory.mktemp("open") / "data"), 2)
        phone = Phone(run_in_it(serving.__aenter__()))

        async def work(what: Talk) -> None:
            services = phone.bank.services
            await demo.reset(services.ledger, pin_pepper(services.settings))
            await what(phone)
            await phone.bank.at_rest()

        yield lambda what: run_in_it(work(what))
        run_in_it(serving.__aexit__(None, None, None))


async def heard(call: Call, words: str) -> str:
    """Say something, hear the whole reply, and return it."""
    await call.say(words)
    await call.conclude()
    return call.turns[-1].heard
