"""Calls to Teller in virtual time: minutes on the phone take milliseconds, and every wait is exact."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from simulator import virtual_time
from simulator.call import Call
from simulator.script import Setting, Speech, Transcript
from tests.support.virtual_time import Replicas, replicas, run

MAYA, TOMAS, RUTH, JONAS, PRIYA = (f"+123456789{place}" for place in range(5))
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
        headers = {"content-type": "application/json"}
        async with self.bank.transports[-1].post(
            "/api/chat/completions/", json.dumps(whole).encode(), headers
        ) as reply:
            answer = json.loads(b"".join([part async for part in reply.body]))
        content: str = answer["choices"][0]["message"]["content"]
        return content

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


async def heard(call: Call, words: str) -> str:
    """Say something, hear the whole reply, and return it."""
    await call.say(words)
    await call.conclude()
    return call.turns[-1].heard
