"""Random stories on the phone and in chat: their steps, and who plays them. What is true of them: `truth.py`."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from simulator import virtual_time
from simulator.call import CHAT_PATH, Call, Line
from simulator.script import Interruption
from simulator.transport import Reply, Transport, TransportError
from tests.dialogue.conftest import CHARLES, SETTING, TOMAS, Phone

CALLERS = (TOMAS, CHARLES)
PINS = {TOMAS: "2946", CHARLES: "2093"}

WISHES = (
    "block my card", "freeze my visa please", "can you lock the gold card",
    "block my business card", "block both my cards",
    "I lost my card", "my gold card was stolen", "report my visa lost please",
    "unblock my card", "unfreeze my visa", "activate my card", "activate my new gold card",
    "my card is damaged, replace it", "I need a replacement for my gold card",
    "what's my balance", "what is the limit of my gold card", "when is my payment due", "show my last transactions",
    "is my card active", "what is the status of my cards",
    "block my visa and tell me the balance of the gold card", "somebody is using my card right now",
)  # fmt: skip
YESES = ("yes", "yes please", "yeah go ahead", "sure", "do it", "that's right yes", "um yes")
GROWING = (
    "yes [0.5] but not that one", "yes [0.4] no wait", "yes [2.0] but not now", "yes [0.7] the other one",
    "yes [0.9] please", "yes [1.5] actually no", "yes [0.3] if it costs nothing", "go ahead [0.6] and cancel that",
)  # fmt: skip
OTHERS = (
    "no", "no, the other one", "no wait, the visa", "not that one", "never mind", "don't", "take it back",
    "never mind, just block it", "what does a replacement cost?", "hmm", "uh", "are you there", "thanks",
    "the weather is nice today", "yes but what does it cost", "maybe later", "I want to talk to a person",
    "5150", "ending four two four two",
)  # fmt: skip
CARDS = ("the first one", "the second one", "the gold one", "the visa", "four two four two", "both of them")
WRONG = ("0000", "one two three four", "2946 1")


@dataclass(frozen=True)
class Step:
    """Something that happens, to one of the callers."""

    who: int


@dataclass(frozen=True)
class Says(Step):
    """He says this; a fraction of its words at a time goes out as guesses; then he listens: wholly, or so far."""

    words: str
    guesses: tuple[int, ...] = ()
    hears: tuple[str, float] | None = None
    both: bool = False


@dataclass(frozen=True)
class Answers(Says):
    """He says what fits the question that he heard last: `words` counts for nothing else."""


@dataclass(frozen=True)
class Repeats(Step):
    """His platform sends its last request again."""


@dataclass(frozen=True)
class IsSilent(Step):
    """He says nothing."""


@dataclass(frozen=True)
class SentLate(Step):
    """A request of his from a while ago arrives now, with its own time on it."""

    which: int


@dataclass(frozen=True)
class HangsUp(Step):
    """He hangs up in the middle of a reply, or after it, and calls again."""

    after: float | None


@dataclass(frozen=True)
class TimePasses(Step):
    """Nothing happens for so long."""

    seconds: float


@dataclass(frozen=True)
class Dies(Step):
    """A replica loses what it is doing while he is talking to it, and starts anew."""

    replica: int
    after: float


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
        whole = json.loads(body)
        exchange = self._story.exchange(whole)
        transport: Transport = self._story.phone.bank.transports[self._place]
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
        await asyncio.sleep(15)
        await self.phone.bank.at_rest()

    def tell(self, line: str) -> None:
        """Add a line to the transcript."""
        self.told.append(f"{self.now() - self.began:8.2f}  {line}")

    async def step(self, step: Step, call: Call) -> None:
        """Do what a step says."""
        match step:
            case Says(words=words, guesses=guesses, hears=hears, both=both):
                said = fitting(call, words) if isinstance(step, Answers) else words
                count = len(re.sub(r"\[[\d.]+\]", "", said).split())
                await call.say(
                    said,
                    guesses=sorted({guess for guess in guesses if guess <= count}),
                    replicas=(0, 1) if both else None,
                )
                self.tell(f"    said: {said}")
                await call.conclude(_interruption(hears))
            case Repeats():
                await call.repeat()
                await call.conclude()
            case IsSilent():
                await call.silence(8)
                await call.conclude()
            case SentLate(which=which):
                await self.send_late(call, which)
            case HangsUp(after=after):
                await call.hang_up(None if after is None else Interruption(seconds=after))
                self.calls[step.who] = await self.dial(step.who)
            case TimePasses(seconds=seconds):
                await asyncio.sleep(seconds)
            case Dies(replica=replica, after=after):
                await call.say(fitting(call, "yes"), replicas=(replica,))
                await asyncio.sleep(after)
                await self.phone.bank.kill(replica)
                await call.conclude()

    async def send_late(self, call: Call, which: int) -> None:
        """Send an older request of this call, as it was."""
        older = [one for one in self.exchanges if one.call == call.call_id and one.voice]
        if not older:
            return
        again = older[which % len(older)]
        sent = virtual_time.BEGINNING.timestamp() + again.stamped
        body = {
            "messages": again.messages,
            "call": {"id": again.call},
            "customer": {"number": again.phone},
            "timestamp": round(sent * 1000),
            "stream": False,
        }
        self.tell(f"    late: {again.said}")
        try:
            async with Recording(self, 1).post(
                CHAT_PATH, json.dumps(body).encode(), {"content-type": "application/json"}
            ) as reply:
                _ = [part async for part in reply.body]
        except TransportError as failure:
            self.tell(f"    {failure}")


def _interruption(hears: tuple[str, float] | None) -> Interruption | None:
    if hears is None:
        return None
    kind, amount = hears
    return Interruption(words=int(amount)) if kind == "words" else Interruption(seconds=amount)


def fitting(call: Call, words: str) -> str:
    """Return what fits what was heard last in a call, `words` choosing among it: a wish, where nothing was asked."""
    heard = next((turn.heard for turn in reversed(call.turns) if turn.heard), "")
    turn = len(words) * 7 + len(call.turns) * 3
    pin = PINS[call.number or TOMAS]
    if "PIN" in heard[-40:]:
        pieces = (pin, " ".join(pin), f"my PIN is {pin}", f"{pin[:2]} [1.5] {pin[2:]}")
        return WRONG[len(words) % 3] if words in GROWING else pieces[len(words) % len(pieces)]
    if "Which card" in heard:
        return CARDS[len(words) % len(CARDS)]
    asked = heard.endswith("?") and "else" not in heard[-40:]
    return words if asked or heard.endswith(("seven", "four", "one", "eight")) else WISHES[turn % len(WISHES)]


_WHO = st.integers(0, 1)
_HEARS = st.one_of(
    st.none(), st.none(), st.none(),
    st.tuples(st.just("words"), st.sampled_from([0, 1, 3, 6, 9, 12, 15])),
    st.tuples(st.just("seconds"), st.sampled_from([0.1, 0.6, 1.2, 2.5, 3.3])),
)  # fmt: skip
_GUESSES = st.one_of(st.just(()), st.just(()), st.lists(st.integers(1, 6), max_size=3).map(tuple))


def _says(words: Sequence[str], kind: type[Says] = Says) -> st.SearchStrategy[Says]:
    return st.builds(
        kind, who=_WHO, words=st.sampled_from(words), guesses=_GUESSES, hears=_HEARS,
        both=st.sampled_from([False, False, False, True]),
    )  # fmt: skip


def _likely(words: Sequence[str], kind: type[Says] = Says) -> st.SearchStrategy[Says]:
    return st.builds(kind, who=_WHO, words=st.sampled_from(words))


_ANSWERS = st.one_of(_likely(YESES, Answers), _likely(YESES, Answers), _says(YESES, Answers), _says(GROWING, Answers))
_ANYTHING: st.SearchStrategy[Step] = st.one_of(
    _says(WISHES),
    _ANSWERS,
    _says(OTHERS),
    _likely(OTHERS),
    _says(CARDS),
    st.builds(Repeats, who=_WHO),
    st.builds(IsSilent, who=_WHO),
    st.builds(SentLate, who=_WHO, which=st.integers(0, 9)),
    st.builds(HangsUp, who=_WHO, after=st.sampled_from([None, 0.2, 0.8, 1.4, 2.6])),
    st.builds(TimePasses, who=_WHO, seconds=st.sampled_from([1, 5, 130, 400])),
    st.builds(Dies, who=_WHO, replica=st.integers(0, 1), after=st.sampled_from([0.3, 0.9, 1.1, 2.0])),
)


def _wish(who: int, wish: Says, answers: Sequence[Step], between: Sequence[Step]) -> list[Step]:
    """Return a wish and its answers, with something else before the last of them."""
    return [replace(step, who=who) for step in (wish, *answers[:-1], *between, *answers[-1:])]


_WISH_WITH_ANSWERS = st.builds(
    _wish,
    _WHO,
    st.one_of(_likely(WISHES), _says(WISHES)),
    st.lists(_ANSWERS, min_size=1, max_size=4),
    st.lists(_ANYTHING, max_size=1),
)
_CHAPTER = st.one_of(
    _WISH_WITH_ANSWERS,
    _WISH_WITH_ANSWERS,
    _WISH_WITH_ANSWERS,
    _ANYTHING.map(lambda step: [step]),
)


def steps(longest: int) -> st.SearchStrategy[list[Step]]:
    """Return stories: chance alone seldom finds its way through a whole wish, so chapters of them hold one."""
    chapters = st.lists(_CHAPTER, min_size=longest // 5, max_size=longest // 2)
    return chapters.map(lambda found: [step for chapter in found for step in chapter][:longest])


CHATS = st.tuples(st.sampled_from([False, False, False, True]), st.sampled_from([False, False, True]))
