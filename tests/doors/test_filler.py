"""Fillers, with an injected timer and scripted stalls: nothing here sleeps."""

import asyncio
from collections.abc import AsyncIterator

from doors.openai.filler import with_filler
from graph.events import Finish, Progress, Speaking, TurnEvent

CLASSIFIED = Progress("classify", 5.0, ("knowledge",))
SPEECH: tuple[TurnEvent, ...] = (Speaking("nova"), "We ", "do.", Finish("stop", "nova"))


class Stage:
    """A turn that stalls, and a timer that rings, when the test says so."""

    def __init__(self) -> None:
        self.rings = asyncio.Event()
        self.goes_on = asyncio.Event()

    async def turn(self, *before: TurnEvent) -> AsyncIterator[TurnEvent]:
        for event in before:
            yield event
        await self.goes_on.wait()
        for event in SPEECH:
            yield event

    async def timer(self) -> None:
        await self.rings.wait()


def words(events: list[TurnEvent]) -> str:
    return "".join(event for event in events if isinstance(event, str))


async def test_a_fast_answer_has_no_filler() -> None:
    stage = Stage()
    stage.goes_on.set()
    assert words([event async for event in with_filler(stage.turn(CLASSIFIED), stage.timer, "nova")]) == "We do."


async def test_a_late_answer_has_one_that_fits() -> None:
    stage = Stage()
    heard: list[TurnEvent] = []
    async for event in with_filler(stage.turn(CLASSIFIED), stage.timer, "nova"):
        heard.append(event)
        if event == CLASSIFIED:
            stage.rings.set()
        if event == "Let me look that up.":
            stage.goes_on.set()
    assert words(heard) == "Let me look that up. We do."
    assert sum(isinstance(event, Speaking) for event in heard) == 1
    assert heard[-1] == SPEECH[-1]


async def test_before_anything_is_known_it_names_nothing() -> None:
    stage = Stage()
    stage.rings.set()
    events = with_filler(stage.turn(), stage.timer, "nova")
    assert await anext(events) == Speaking("nova")
    assert await anext(events) == "One moment, please."
    await events.aclose()  # type: ignore[attr-defined]


async def test_a_turn_that_ends_without_a_word_ends() -> None:
    async def nothing() -> AsyncIterator[TurnEvent]:
        yield CLASSIFIED

    stage = Stage()
    assert [event async for event in with_filler(nothing(), stage.timer, "nova")] == [CLASSIFIED]
