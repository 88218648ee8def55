"""The events of a turn on their way to a reply."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import structlog

from doors.errors import api_error
from graph.events import Finish, Progress, Speaking, TurnEvent
from graph.lines import line
from graph.options import Channel
from graph.turn import RunningTurn

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Opening:
    """What is known of a turn before its first word: who speaks, its routes, and how long each node needed."""

    model: str = ""
    routes: tuple[str, ...] = ()
    timings: list[str] = field(default_factory=list)

    def note(self, event: TurnEvent) -> None:
        """Take in an event."""
        match event:
            case Progress():
                self.routes = event.routes or self.routes
                self.timings.append(f"{event.node};dur={event.milliseconds:.1f}")
            case Speaking():
                self.model = event.model

    @property
    def headers(self) -> dict[str, str]:
        """The headers that tell it."""
        return {"x-teller-routes": ",".join(self.routes), "server-timing": ", ".join(self.timings)}


async def opening_of(events: AsyncIterator[TurnEvent]) -> Opening:
    """Wait until the turn is about to speak.

    Raises:
        Exception: what a node raised; nothing was said then, so it can be a real HTTP status.
    """
    opening = Opening()
    async for event in events:
        opening.note(event)
        if isinstance(event, Speaking):
            break
    return opening


async def events_of(turn: RunningTurn, channel: Channel) -> AsyncIterator[TurnEvent]:
    """Yield a turn's events. On voice whatever fails is spoken: an error would end the call.

    Raises:
        Exception: what a node raised, in chat; on voice too, where the request itself was wrong.
    """
    speaking = False
    try:
        async for event in turn:
            speaking = speaking or isinstance(event, Speaking)
            yield event
    except Exception as failure:
        if channel != "voice" or api_error(failure).status < 500:
            raise
        _log.error("turn failed on voice", error=type(failure).__name__)
        if not speaking:
            yield Speaking("")
        yield f"{' ' if speaking else ''}{line('model_failed')}"
        yield Finish("stop", "")
