"""One short line when the first word of a voice turn will be late; never when it is in time, never twice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from graph.events import Progress, Speaking, TurnEvent
from graph.lines import line

Events = AsyncIterator[TurnEvent]


async def with_filler(events: Events, patience: Callable[[], Awaitable[None]], model: str) -> Events:
    """Yield the events; where `patience` ends before the turn speaks, a filler goes before what is still to come.

    The filler fits what is going on (the documents, the card, or neither is known yet) and bears the name of `model`.
    """
    over = asyncio.ensure_future(patience())
    routes: tuple[str, ...] = ()
    try:
        while True:
            coming = asyncio.ensure_future(_next(events))
            await asyncio.wait({coming, over}, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                yield Speaking(model)
                yield line(_fitting(routes))
                async for event in _after_filler(coming, events):
                    yield event
                return
            came = coming.result()
            if came is None:
                return
            yield came
            if isinstance(came, Speaking):
                break
            routes = (came.routes or routes) if isinstance(came, Progress) else routes
        async for event in events:
            yield event
    finally:
        over.cancel()
        coming.cancel()


async def _next(events: Events) -> TurnEvent | None:
    return await anext(events, None)


async def _after_filler(
    coming: Awaitable[TurnEvent | None], events: AsyncIterator[TurnEvent]
) -> AsyncIterator[TurnEvent]:
    """Yield what follows a filler: the turn speaks already, and its first word is set off by a space."""
    gap = " "
    event = await coming
    while event is not None:
        if isinstance(event, str):
            yield gap + event
            gap = ""
        elif not isinstance(event, Speaking):
            yield event
        event = await _next(events)


def _fitting(routes: tuple[str, ...]) -> str:
    if "card" in routes:
        return "filler_card"
    return "filler_knowledge" if "knowledge" in routes else "filler"
