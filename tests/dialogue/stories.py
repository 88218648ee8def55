"""Who plays stories on the phone and in chat, and notes all that was sent and said.

Their steps: `steps.py`; how they come about: `chapters.py`; what must be true of them: `truth.py`.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from simulator import virtual_time
from simulator.call import CHAT_PATH, EVENTS_PATH, Call, Line
from simulator.script import Interruption
from simulator.transport import Reply, Transport, TransportError
from tests.dialogue.conftest import CHARLES, SETTING, TOMAS, Phone
from tests.dialogue.steps import Answers, Dies, HangsUp, IsAsked, IsSilent, Repeats, Says, SentLate, Step, TimePasses
from tests.dialogue.utterances import CARDS, GROWING, TAILS, WISHES, WRONG

CALLERS = (TOMAS, CHARLES)
PINS = {TOMAS: "2946", CHARLES: "2093"}
_MOST_ANSWERS = 3


@dataclass
class Exchange:
    """One request as the server got it, and what it sent back until the end or the caller's."""

    phone: str
    call: str
    voice: bool
    at: float
    stamped: float
    messages: Sequence[Mapping[str, Any]]
    text: str = ""
    ended: float = float("inf")

    @property
    def said(self) -> str:
        """The last words of the caller; nothing, where the assistant spoke last."""
        last = self.messages[-1]
        return str(last["content"] or "") if last["role"] == "user" else ""


_CONTENT = re.compile(rb'"content":"((?:[^"\\]|\\.)*)"')


class Recording:
    """A transport that notes what passes."""

    def __init__(self, story: "Story", place: int) -> None:
        self._story, self._place = story, place

    @asynccontextmanager
    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> AsyncIterator[Reply]:
        transport: Transport = self._story.phone.bank.transports[self._place]
        if path == EVENTS_PATH:
            async with transport.post(path, body, headers) as reply:
                yield reply
            return
        exchange = self._story.exchange(json.loads(body))
        try:
            async with transport.post(path, body, headers) as reply:
                yield Reply(reply.status, self._noted(reply.body, exchange), reply.headers)
        finally:
            exchange.ended = self._story.now()

    async def _noted(self, body: AsyncIterator[bytes], exchange: Exchange) -> AsyncIterator[bytes]:
        async for part in body:
            for content in _CONTENT.findall(part):
                exchange.text += json.loads(b'"' + content + b'"')
            yield part


@dataclass
class Story:
    """A story while it is played: its calls, and all that was sent and said."""

    phone: Phone
    chats: tuple[bool, bool]
    calls: list[Call] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    going_on: set[asyncio.Task[None]] = field(default_factory=set)
    told_ends: dict[str, float] = field(default_factory=dict)
    began: float = 0.0

    def now(self) -> float:
        """The seconds since virtual time began."""
        return asyncio.get_running_loop().time()

    def exchange(self, body: Mapping[str, Any]) -> Exchange:
        """Note a request."""
        voice = "call" in body
        call = body["call"]["id"] if voice else body["metadata"]["conversation_id"]
        stamped = body["timestamp"] / 1000 - virtual_time.BEGINNING.timestamp() if voice else self.now()
        noted = Exchange(body["customer"]["number"], call, voice, self.now(), stamped, body["messages"])
        self.exchanges.append(noted)
        return noted

    async def dial(self, who: int) -> Call:
        """Begin a call."""
        self.phone.calls += 1
        setting = SETTING.model_copy(update={"channel": "chat" if self.chats[who] else "voice"})
        line = Line([Recording(self, place) for place in range(2)])
        call = Call(
            setting, line, number=CALLERS[who], call_id=f"story-{self.phone.calls}", clock=virtual_time.now,
        )  # fmt: skip
        await call.begin()
        return call

    async def play(self, steps: Sequence[Step]) -> None:
        """Play all steps, and let everything come to its end."""
        self.began = self.now()
        self.calls = [await self.dial(0), await self.dial(1)]
        for step in steps:
            call = self.calls[step.who]
            self.tell(f"{'tomas charles'.split()[step.who]}: {step}")
            await self.step(step, call)
            if call.turns and call.turns[-1].heard:
                self.tell(f"    heard: {call.turns[-1].heard}")
        for call in self.calls:
            await call.conclude()
        await asyncio.gather(*self.going_on)
        await asyncio.sleep(15)
        await self.phone.bank.at_rest()

    def tell(self, line: str) -> None:
        """Add a line to the transcript."""
        self.told.append(f"{self.now() - self.began:8.2f}  {line}")

    async def step(self, step: Step, call: Call) -> None:
        """Do what a step says."""
        match step:
            case Says():
                await self.say(step, call)
            case IsAsked(who=who, words=words):
                await self.be_asked(who, words, call)
            case Repeats(hears=hears):
                await call.repeat()
                await call.conclude(_interruption(hears))
            case IsSilent():
                await call.silence(8)
                await call.conclude()
            case SentLate():
                await self.send_late(step, call)
            case HangsUp():
                await self.hang_up(step, call)
            case TimePasses(seconds=seconds):
                await asyncio.sleep(seconds)
            case Dies():
                await self.die(step, call)

    async def say(self, step: Says, call: Call) -> None:
        """Let him say what a step holds, and hear what it says that he hears."""
        said = fitting(call, step.words) if isinstance(step, Answers) else step.words
        count = len(re.sub(r"\[[\d.]+\]", "", said).split())
        await call.say(
            said,
            guesses=sorted({guess for guess in step.guesses if guess <= count}),
            replicas=(0, 1) if step.both else None,
            words_per_second=step.words_per_second,
        )
        self.tell(f"    said: {said}")
        await call.conclude(_interruption(step.hears))

    async def be_asked(self, who: int, wish: str, call: Call) -> None:
        """Let him wish for something, and give the card and the PIN that he is asked for."""
        await call.say(wish)
        await call.conclude()
        for _ in range(_MOST_ANSWERS):
            if not _wants_more(call):
                break
            await call.say(PINS[CALLERS[who]] if "PIN" in call.turns[-1].heard[-40:] else fitting(call, wish))
            await call.conclude()

    async def hang_up(self, step: HangsUp, call: Call) -> None:
        """Let him hang up, and call again."""
        await call.hang_up(None if step.after is None else Interruption(seconds=step.after))
        if step.told and not self.chats[step.who]:
            await call.end()
            self.told_ends[call.call_id] = self.now()
        self.calls[step.who] = await self.dial(step.who)

    async def die(self, step: Dies, call: Call) -> None:
        """Let a replica lose what it does while he talks to it."""
        await call.say(fitting(call, "yes"), replicas=(step.replica,))
        await asyncio.sleep(step.after)
        await self.phone.bank.kill(step.replica)
        await call.conclude()

    async def send_late(self, step: SentLate, call: Call) -> None:
        """Send an older request of this call, or of the one before it, as it was."""
        older = [one for one in self.exchanges if one.phone == call.number and one.voice]
        if not older:
            return
        again = older[-1 - step.back % len(older)]
        sent = virtual_time.BEGINNING.timestamp() + again.stamped
        body = {
            "messages": again.messages,
            "call": {"id": again.call},
            "customer": {"number": again.phone},
            "timestamp": round(sent * 1000),
            "stream": False,
        }
        self.tell(f"    late: {again.said}")
        sending = asyncio.create_task(self.send(body))
        self.going_on.add(sending)
        if step.goes_on:
            await asyncio.sleep(0)
        else:
            await sending

    async def send(self, body: Mapping[str, Any]) -> None:
        """Send a request and read its reply to the end."""
        headers = {"content-type": "application/json"}
        try:
            async with Recording(self, 1).post(CHAT_PATH, json.dumps(body).encode(), headers) as reply:
                _ = [part async for part in reply.body]
        except TransportError as failure:
            self.tell(f"    {failure}")


def _interruption(hears: tuple[str, float] | None) -> Interruption | None:
    if hears is None:
        return None
    kind, amount = hears
    return Interruption(words=int(amount)) if kind == "words" else Interruption(seconds=amount)


def _wants_more(call: Call) -> bool:
    """Return whether the last question is for a PIN or a card."""
    heard = call.turns[-1].heard
    return "PIN" in heard[-40:] or "Which card" in heard


def fitting(call: Call, words: str) -> str:
    """Return what fits what was heard last in a call, `words` choosing among it: a wish, where nothing was asked."""
    heard = next((turn.heard for turn in reversed(call.turns) if turn.heard), "")
    turn = len(words) * 7 + len(call.turns) * 3
    pin = PINS[call.number or TOMAS]
    if "PIN" in heard[-40:]:
        pieces = (pin, " ".join(pin), f"my PIN is {pin}", f"{pin[:2]} [1.5] {pin[2:]}")
        if words in TAILS:
            return f"{pin} [0.5] {words}"
        return WRONG[len(words) % 3] if words in GROWING else pieces[len(words) % len(pieces)]
    if "Which card" in heard:
        return CARDS[len(words) % len(CARDS)]
    asked = heard.endswith("?") and "else" not in heard[-40:]
    return words if asked or heard.endswith(("seven", "four", "one", "eight")) else WISHES[turn % len(WISHES)]
