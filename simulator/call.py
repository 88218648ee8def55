"""One phone call, as the platform between caller and server makes it: guesses, cuts, repeats, silences, hang-ups.

The steps are the methods; each begins when the one before is over, and `conclude` says how long a reply is listened to:

    call = Call(setting, line, number="+1234567890", call_id="call-1")
    await call.begin()
    await call.say("block my card", guesses=(1, 2))
    await call.conclude()                          # the whole reply is heard
    await call.say("yes")
    await call.conclude(Interruption(seconds=0.3))  # nothing or little of it
    await call.say("yes but not that one")
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from simulator.body import end_of_call, request_body
from simulator.history import History, Message
from simulator.report import (
    AssistantHeard,
    CallerSpoke,
    RequestKind,
    RequestOver,
    RequestRecord,
    Tell,
    TurnRecord,
    nobody,
)
from simulator.request import OpenRequest
from simulator.script import Interruption, Setting
from simulator.speaking import words_of
from simulator.transport import Transport
from simulator.turn import Turn

Clock = Callable[[], datetime]

CHAT_PATH = "/api/chat/completions/"
EVENTS_PATH = "/api/vapi/events"

_ENDING = ("endCall", "transferCall")
_SECONDS_A_KEY = 0.3
_AT_ONCE = 1e9


def utc_now() -> datetime:
    """Return the real time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """Where calls go: the replicas of a server, the path of its chat completions, and the key."""

    replicas: Sequence[Transport]
    path: str = CHAT_PATH
    key: str = ""


class Call:
    """The call. `over` tells what ended it, `turns` what happened, `sent` the last body of each step.

    One task works with it at a time.
    """

    def __init__(
        self,
        setting: Setting,
        line: Line,
        *,
        number: str | None = None,
        call_id: str,
        clock: Clock = utc_now,
        tell: Tell = nobody,
    ) -> None:
        self.number = number
        self.call_id = call_id
        self.turns: list[TurnRecord] = []
        self.over = ""
        self.step = 0
        self.sent: dict[int, dict[str, Any]] = {}
        self._setting = setting
        self._line = line
        self._clock = clock
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._next_replica = 0
        self._unanswered = ""
        self._turn: Turn | None = None
        self._last: Turn | None = None
        system: list[Message] = [{"role": "system", "content": setting.system}] if setting.system else []
        self._history = History(setting.transcript, system)

    @property
    def elapsed(self) -> float:
        """Seconds since the call began."""
        return round(self._loop.time() - self._began, 6)

    @property
    def messages(self) -> list[Message]:
        """What the platform has written down so far."""
        return self._history.with_user("")

    async def begin(self) -> None:
        """Hear the opening: the platform's own line, or the model's."""
        if self._setting.opening is not None:
            self._history.heard(self._setting.opening)
            self._tell(AssistantHeard(self.elapsed, self._setting.opening, cut=False))
            return
        turn = self._open_turn("")
        await self._ask(turn, "", "opening")
        self._listen(turn)

    async def say(
        self,
        text: str,
        *,
        guesses: Sequence[int] = (),
        words_per_second: float | None = None,
        replicas: Sequence[int] | None = None,
    ) -> None:
        """Speak, and return when the last request is sent: after a reply that is still going on, a barge-in.

        A guess is a request on the words so far; the next request closes it. A pause in the words that is as long as
        the endpointing sends a request too; speaking on closes it, or cuts what is being heard of its reply.
        """
        await self._cut_in()
        utterance, speech = words_of(text), self._setting.speech
        pace = 1 / (words_per_second or speech.words_per_second) if self._voice else 0.0
        turn = self._open_turn(self._unanswered)
        for count, word in enumerate(utterance.words, 1):
            await asyncio.sleep(pace)
            turn.words = f"{turn.words} {word}".strip()
            if count in guesses:
                await self._ask(turn, turn.words, "guess", replicas)
            pause = utterance.pauses.get(count, 0.0)
            if count == len(utterance.words):
                break
            if pause < speech.endpointing:
                await asyncio.sleep(pause)
                continue
            await self._finish_speaking(turn, "final", replicas)
            await asyncio.sleep(pause - speech.endpointing)
            turn = await self._speak_on(turn)
        await self._finish_speaking(turn, "final", replicas)

    async def keypad(self, keys: str, *, replicas: Sequence[int] | None = None) -> None:
        """Type keys; they reach the server as Vapi words them."""
        await self._cut_in()
        turn = self._open_turn(self._unanswered)
        await asyncio.sleep(_SECONDS_A_KEY * len(keys) if self._voice else 0.0)
        turn.words = f"{turn.words} User's Keypad Entry: {keys}".strip()
        await self._finish_speaking(turn, "keypad", replicas)

    async def silence(self, seconds: float, *, replicas: Sequence[int] | None = None) -> None:
        """Say nothing for so long; then the platform asks with the history as it is."""
        await self._cut_in()
        await asyncio.sleep(seconds)
        turn = self._open_turn(self._unanswered)
        await self._ask(turn, turn.words, "silence", replicas)
        self._listen(turn)

    async def repeat(self, *, replicas: Sequence[int] | None = None) -> None:
        """Let the last request come again; what was heard of its reply is forgotten."""
        await self._cut_in()
        last = self._last
        if last is None:
            return
        self._history = last.before.copy()
        turn = self._open_turn(last.words)
        await self._ask(turn, turn.words, "repeat", replicas)
        self._listen(turn)

    async def forge(self, messages: Sequence[Mapping[str, str]]) -> None:
        """Put into the history what nobody said or heard."""
        await self._cut_in()
        self._history.forged(messages)

    async def replay(self, step: int, *, key: str | None = None) -> None:
        """Send the last request of a step again, byte for byte; neither it nor its reply enters the history."""
        await self._cut_in()
        body = self.sent.get(step)
        if body is None:
            return
        turn = self._open_turn("")
        turn.aside = True
        self._send(turn, "replay", body, self._replica(), key)
        self._listen(turn)

    async def conclude(self, until: Interruption | None = None) -> bool:
        """Listen to the reply until it is over, or until an interruption; what was heard goes into the history.

        Returns whether the interruption found a reply to interrupt; True where there was none to come.
        """
        turn = self._turn
        if turn is None:
            return until is None
        in_time = await turn.hear(until)
        await turn.close()
        self._turn = None
        if turn.aside:
            turn.put_down()
            self._tell(AssistantHeard(self.elapsed, turn.record.heard, turn.record.cut))
            return in_time
        self._note(turn, began=in_time and until is not None and until.words == 0)
        self._last = turn
        return in_time

    async def hang_up(self, after: Interruption | None = None) -> bool:
        """Hang up, after the reply or in the middle of it; returns whether there was something to interrupt."""
        in_time = await self.conclude(after)
        self.over = self.over or "the caller hung up"
        return in_time

    async def end(self) -> int | None:
        """Tell the server that the call is over; returns its HTTP status, None where it did not answer."""
        await self.conclude()
        self.over = self.over or "the end-of-call event"
        request = RequestRecord("final", 0, "", self.elapsed)
        body = end_of_call(self.call_id, self._clock())
        event = OpenRequest(request, lambda _: None)
        event.send(self._line.replicas[0], EVENTS_PATH, body, self._line.key)
        await event.done()
        return request.status

    @property
    def _voice(self) -> bool:
        return self._setting.channel == "voice"

    def _open_turn(self, words: str) -> Turn:
        self._unanswered = ""
        turn = Turn(self._history.copy(), TurnRecord(self.step, words), words)
        self._turn = turn
        self.turns.append(turn.record)
        return turn

    async def _cut_in(self) -> None:
        """End the reply before, wherever it is."""
        if self._turn is not None:
            await self.conclude(Interruption(seconds=0))

    async def _speak_on(self, turn: Turn) -> Turn:
        """Go on after a pause: the same turn grows where nothing of a reply was heard, else another one begins."""
        if turn.listening is None or turn.listening.heard == 0:
            await turn.close()
            turn.listening = None
            return turn
        await self.conclude(Interruption(seconds=0))
        return self._open_turn("")

    async def _finish_speaking(self, turn: Turn, kind: RequestKind, replicas: Sequence[int] | None) -> None:
        """Wait as the platform does before it takes the words for whole; a guess that had them all is kept."""
        turn.speech_ended = self._loop.time()
        turn.record.speech_ended_at = self.elapsed
        turn.record.said = turn.words
        self._tell(CallerSpoke(self.elapsed, turn.words))
        await asyncio.sleep(self._setting.speech.endpointing if self._voice else 0.0)
        newest = turn.newest
        if newest is None or newest.kind != "guess" or newest.words != turn.words or newest.error:
            await self._ask(turn, turn.words, kind, replicas)
        self._listen(turn)

    async def _ask(self, turn: Turn, words: str, kind: RequestKind, replicas: Sequence[int] | None = None) -> None:
        """Send a request, and close the one before."""
        await turn.close()
        messages = turn.before.with_user(words)
        in_turn = len(turn.requests) + 1
        body = request_body(self._setting, self.number, self.call_id, messages, self._clock(), in_turn)
        self.sent[self.step] = body
        for replica in replicas or (self._replica(),):
            self._send(turn, kind, body, replica)

    def _send(self, turn: Turn, kind: RequestKind, body: dict[str, Any], replica: int, key: str | None = None) -> None:
        place = replica % len(self._line.replicas)
        record = RequestRecord(kind, place, turn.words, self.elapsed)
        request = OpenRequest(record, lambda over: self._tell(RequestOver(self.elapsed, over)))
        turn.requests.append(request)
        turn.record.requests.append(record)
        request.send(self._line.replicas[place], self._line.path, body, self._line.key if key is None else key)

    def _replica(self) -> int:
        if self._setting.replicas == "first":
            return 0
        self._next_replica += 1
        return self._next_replica - 1

    def _listen(self, turn: Turn) -> None:
        turn.listen(self._setting.speech.assistant_words_per_second if self._voice else _AT_ONCE)

    def _note(self, turn: Turn, *, began: bool) -> None:
        """Put down what was heard; where nothing was, the caller's words go on in the next turn, unless it `began`."""
        whole = turn.put_down()
        if turn.listening is not None:
            self._tell(AssistantHeard(self.elapsed, turn.record.heard, turn.record.cut))
        if not (turn.record.heard or whole or began):
            self._unanswered = turn.words
            return
        self._history.said(turn.words)
        if whole and turn.calls:
            self._history.called(turn.calls, turn.record.heard)
            self.over = next((call.name for call in turn.calls if call.name in _ENDING), self.over)
        else:
            self._history.heard(turn.record.heard)
