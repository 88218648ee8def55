"""How many turns run at a time: what cannot begin soon is told so at once, and admitted turns keep their pace."""

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from fastapi import Request

from doors.disconnect import unless_gone
from doors.errors import ApiError

LONGEST_WAIT_SECONDS = 10.0
SHORT_WAIT_SECONDS = 0.05
BURST_SECONDS = 0.25
CALM_SECONDS = 1.0
_ALWAYS_OPEN = 8
_COMPUTES_SECONDS = 0.25
_KEPT_UNDER_STRAIN = 0.95
_GROWTH = 0.01
_RETRY_AFTER_SECONDS = "2"


@dataclass(eq=False, slots=True)
class _Waiting:
    """One who waits: what tells him that he may run, and since when he waits."""

    turn: asyncio.Future[None]
    since: float


class Admission:
    """At most `most` turns run, fewer under strain; as many again may wait, each for 10 s at most.

    A burst may wait. Where waits have been longer than 50 ms for a quarter of a second, the queue would stand and only
    make every turn late (CoDel, RFC 8289): from then on newcomers run at once or are refused at once, until for a
    second nobody had to wait or was refused.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.most_turns: Callable[[], float] = lambda: math.inf
        """How many turns may compute at a time: told by what computes, once it is there."""
        self._began: dict[Place, float] = {}
        self._most = most
        self._open = float(most)
        self._running = 0
        self._waiting: deque[_Waiting] = deque()
        self._clock = clock
        self._short_since = self._short_at = float("-inf")

    def place(self) -> "Place":
        """Return a place for one turn, not taken yet."""
        return Place(self)

    def adapt(self, strain: float) -> None:
        """Take in, at each beat, how strained the process is: above 1 places are closed, below they are opened again.

        More turns than the machine carries make each other slow; fewer keep their pace. Nobody waits for a closed
        place: who would have to is told so at once.
        """
        if strain > 1:
            kept = min(self._open, self._running * _KEPT_UNDER_STRAIN)
            self._open = max(kept, min(self._most, _ALWAYS_OPEN))
            if self._open < self._most:
                self._send_away()
        else:
            self._open = min(self._most, self._open * (1 + _GROWTH * (1 - strain)))
            self._let_in()

    def refuses(self) -> bool:
        """Return whether a turn that comes now is refused; being asked so counts as one that came."""
        if self._is_overrun():
            return True
        if self._has_room() and not self._waiting:
            return False
        if self._open < self._most:
            return True
        now = self._clock()
        if self._waiting:
            self._note_wait(self._waiting[0])
        stands = now - self._short_at <= CALM_SECONDS and now - self._short_since > BURST_SECONDS
        if stands:
            self._note_shortage(now)
        return stands or len(self._waiting) >= self._most

    async def take(self) -> None:
        """Return when one more turn may run; `give` must follow.

        Raises:
            ApiError: 503, too many are waiting already, or it took too long.
        """
        if self.refuses():
            raise full()
        if self._has_room() and not self._waiting:
            self._running += 1
            return
        waiting = _Waiting(asyncio.get_running_loop().create_future(), self._clock())
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                await waiting.turn
        except BaseException as reason:
            self._leave_queue(waiting)
            if isinstance(reason, TimeoutError):
                raise full() from None
            raise
        finally:
            self._note_wait(waiting)

    def begin(self, place: "Place") -> None:
        """Note when the turn of a place began."""
        self._began[place] = self._clock()

    def end(self, place: "Place") -> None:
        """End what `take` and `begin` began."""
        del self._began[place]
        self.give()

    def give(self) -> None:
        """End what `take` began."""
        self._running -= 1
        self._let_in()

    def _is_overrun(self) -> bool:
        """Return whether the cores have enough to do: with turns that began just now; older ones wait for something."""
        most = self.most_turns()
        since = self._clock() - _COMPUTES_SECONDS
        return most < math.inf and sum(began > since for began in self._began.values()) >= most

    def _has_room(self) -> bool:
        return self._running + 1 <= self._open

    def _let_in(self) -> None:
        while self._waiting and self._has_room():
            turn = self._waiting.popleft().turn
            if not turn.done():
                self._running += 1
                turn.set_result(None)

    def _send_away(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft().turn
            if not turn.done():
                turn.set_exception(full())

    def _leave_queue(self, waiting: _Waiting) -> None:
        if waiting in self._waiting:
            self._waiting.remove(waiting)
        elif not waiting.turn.cancelled() and not waiting.turn.exception():  # let in at the very moment that he left
            self.give()

    def _note_wait(self, waiting: _Waiting) -> None:
        now = self._clock()
        if now - waiting.since >= SHORT_WAIT_SECONDS:
            self._note_shortage(now)

    def _note_shortage(self, now: float) -> None:
        if now - self._short_at > CALM_SECONDS:
            self._short_since = now
        self._short_at = now


class Place:
    """One turn's place; leaving it twice, or before it was taken, is leaving it once."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._taken = False

    async def take(self) -> None:
        """Wait for it.

        Raises:
            ApiError: 503, there is none to be had soon.
        """
        await self._admission.take()
        self._admission.begin(self)
        self._taken = True

    def leave(self) -> None:
        """Give the place to the next turn."""
        if self._taken:
            self._taken = False
            self._admission.end(self)

    async def __aenter__(self) -> Self:
        await self.take()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()


async def one_place(request: Request) -> AsyncIterator[None]:
    """Hold a place for as long as a request is served, its reply sent: a dependency of routes.

    Raises:
        ApiError: 503, there is none to be had soon.
        ClientGoneError: the client hung up while it waited.
    """
    place: Place = request.app.state.admission.place()
    try:
        await unless_gone(request, place.take())
        yield
    finally:
        place.leave()


def full() -> ApiError:
    """Return the refusal of a turn for which there is no place."""
    message = "Too many turns are running. Please try again in a moment."
    return ApiError(503, "service_unavailable_error", message, headers={"retry-after": _RETRY_AFTER_SECONDS})
