"""Plays a script, step by step, and judges what it expects."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import uuid4

from simulator import expectations
from simulator.call import Call, Clock, Line, utc_now
from simulator.report import CallReport, Check, Holders, Tell, TurnRecord, nobody
from simulator.script import (
    Dial,
    EndCall,
    Forge,
    HangUp,
    Interruption,
    Keypad,
    Repeat,
    Replay,
    Say,
    Script,
    Silence,
    Step,
    Wait,
)

ReadLedger = Callable[[], Awaitable[Holders]]
"""Reads the ledger, in the form of `teller cards list --json`."""


class Player:
    """A caller who follows a script. Without `read_ledger`, what is expected of the ledger stays unjudged."""

    def __init__(
        self,
        script: Script,
        line: Line,
        *,
        clock: Clock = utc_now,
        read_ledger: ReadLedger | None = None,
        tell: Tell = nobody,
        number: str | None = None,
        new_call_id: Callable[[], str] = lambda: f"call-{uuid4().hex}",
    ) -> None:
        self._script = script
        self._line = line
        self._clock = clock
        self._read_ledger = read_ledger
        self._tell = tell
        self._new_call_id = new_call_id
        self._report = CallReport(script.name, number or script.caller.number)
        self._sent: dict[int, dict[str, Any]] = {}
        self._call: Call

    async def play(self) -> CallReport:
        """Play the script and return what happened."""
        report = self._report
        report.ledger_before = await self._ledger()
        await self._dial(report.number)
        done: tuple[int, Step] | None = None
        for number, step in enumerate(self._script.steps, 1):
            interruption = _interruption(step)
            in_time = await self._call.conclude(interruption)
            if done:
                await self._judge(*done)
            if interruption is not None and not in_time:
                self._check(Check(number, "interrupts the reply", False, "the reply was over before"))
            self._call.step = number
            await self._do(number, step, after_silence=interruption is None)
            done = number, step
        await self._call.conclude()
        if done:
            await self._judge(*done)
        report.turns += self._call.turns
        report.ended_by = self._call.over
        report.ledger_after = await self._ledger()
        return report

    async def _dial(self, number: str | None) -> None:
        call_id = self._new_call_id()
        self._report.call_ids.append(call_id)
        self._call = Call(self._script, self._line, number=number, call_id=call_id, clock=self._clock, tell=self._tell)
        self._call.sent = self._sent
        await self._call.begin()

    async def _do(self, number: int, step: Step, *, after_silence: bool) -> None:
        call = self._call
        if call.over and not isinstance(step, HangUp | EndCall | Wait | Dial | Forge | Replay):
            self._check(Check(number, "the call goes on", False, f"it was ended by {call.over}"))
            return
        match step:
            case Say():
                await self._react(after_silence)
                pace = step.words_per_second
                await call.say(step.say, guesses=step.guesses, words_per_second=pace, replicas=step.replica)
            case Keypad():
                await self._react(after_silence)
                await call.keypad(step.keypad, replicas=step.replica)
            case Silence():
                await call.silence(step.silence, replicas=step.replica)
            case Repeat():
                await self._repeat(step)
            case _:
                await self._happen(step)

    async def _happen(self, step: Step) -> None:
        """Do what is not said or typed."""
        call = self._call
        match step:
            case HangUp():
                await call.hang_up()
            case EndCall():
                await call.end()
            case Wait():
                await asyncio.sleep(step.wait)
            case Dial():
                self._report.turns += call.turns
                await self._dial(step.dial)
            case Forge():
                await call.forge(step.forge)
            case Replay():
                await call.replay(step.replay, key=step.key)

    async def _repeat(self, step: Repeat) -> None:
        for again in range(step.repeat):
            if again:
                await self._call.conclude()
            await self._call.repeat(replicas=step.replica)

    async def _react(self, after_silence: bool) -> None:
        if after_silence and self._script.channel == "voice":
            await asyncio.sleep(self._script.speech.reaction)

    async def _judge(self, number: int, step: Step) -> None:
        """Judge a step whose reply is over, or cut."""
        turns = self._turns_of(number)
        for turn in turns if isinstance(step, Repeat) else turns[-1:]:
            if turn.reply is not None:
                for check in expectations.of_reply(number, step.expect, turn.reply):
                    self._check(check)
        if step.expect is not None and not turns:
            self._check(Check(number, "an answer", False, "this step asks for none"))
        if step.ledger is not None or step.writes is not None:
            now = await self._ledger()
            before = self._report.ledger_before
            for check in expectations.of_ledger(number, step, self._call.number, before, now):
                self._check(check)

    def _turns_of(self, number: int) -> Sequence[TurnRecord]:
        return [turn for turn in self._call.turns if turn.step == number]

    def _check(self, check: Check) -> None:
        self._report.checks.append(check)
        self._tell(check)

    async def _ledger(self) -> Holders | None:
        return await self._read_ledger() if self._read_ledger else None


def _interruption(step: Step) -> Interruption | None:
    """Return what a step does to the reply before it."""
    if isinstance(step, Say | Keypad):
        return step.barge_in
    if isinstance(step, HangUp):
        return step.hang_up
    return None
