"""An event loop whose time jumps: whenever nobody has anything to do, it is at once the time of the next timer.

What it guarantees:

- `loop.time()` stands still while code runs and moves only to the moment of a timer that is due. So every sleep and
  every timeout ends exactly when it should, however slow or busy the machine is, and a minute of waiting costs nothing.
- It does not move while a thread works for the loop: `run_in_executor` (so `asyncio.to_thread` too), and whatever
  else was announced with `hand_off`. A timeout around such work never fires because the machine is slow.

What it does not: it sees no sockets and no other processes (time jumps past them); where two threads work at the same
time, which one ends first is the machine's business, as always; and a thread that waits for what a timer of the loop
would release waits in vain.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

BEGINNING = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
"""When every virtual time begins."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """The loop; `asyncio.Runner(loop_factory=VirtualTimeLoop)` or `run` below takes it."""

    def __init__(self) -> None:
        self._elapsed = 0.0
        self._at_work = 0
        super().__init__(_JumpingSelector(self))
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Return the seconds since the loop was made, of its own time."""
        return self._elapsed

    def now(self) -> datetime:
        """Return the loop's time of day, for whoever takes a clock."""
        return BEGINNING + timedelta(seconds=self._elapsed)

    @property
    def time_stands_still(self) -> bool:
        """Whether a thread works for the loop."""
        return self._at_work > 0

    def jump(self, seconds: float) -> None:
        """Let time pass."""
        self._elapsed += seconds

    def hand_off(self, future: asyncio.Future[Any], work: Callable[[], T]) -> Callable[[], T]:
        """Announce that a thread will do `work` and set `future`; hand the thread what this returns.

        Time stands still until the work has ended and its result has arrived; where the future is cancelled meanwhile,
        until the work has ended.
        """
        arrive = self._hold(2)
        future.add_done_callback(lambda _: arrive())

        def announced() -> T:
            try:
                return work()
            finally:
                self._tell(arrive)

        return announced

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """Do work in a thread; time stands still until its result has arrived."""
        if executor is None:
            executor = self._default_executor = getattr(self, "_default_executor", None) or ThreadPoolExecutor(
                thread_name_prefix="virtual"
            )
        arrive = self._hold(2)
        working: Future[T] = executor.submit(partial(func, *args))
        future = asyncio.wrap_future(working, loop=self)
        working.add_done_callback(lambda _: self._tell(arrive))
        future.add_done_callback(lambda _: arrive())
        return future

    def _hold(self, arrivals: int) -> Callable[[], None]:
        """Let time stand still until what this returns has been called so many times."""
        self._at_work += 1
        awaited = arrivals

        def arrive() -> None:
            nonlocal awaited
            awaited -= 1
            if not awaited:
                self._at_work -= 1

        return arrive

    def _tell(self, arrive: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody cares for its time any more
            self.call_soon_threadsafe(arrive)


class _JumpingSelector(selectors.DefaultSelector):
    """Finds what is ready; where nothing is, time jumps instead of passing."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready: at once, or when a thread reports; let `timeout` pass where nobody works."""
        if timeout is None or timeout <= 0:
            found: list[tuple[selectors.SelectorKey, int]] = super().select(timeout)
            return found
        found = super().select(0)
        if not found and self._loop.time_stands_still:
            found = super().select(None)
        elif not found:
            self._loop.jump(timeout)
        return found


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a virtual time of its own, as `asyncio.run` does in the real one."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)


def now() -> datetime:
    """Return the time of day of the virtual time that runs; a clock to hand in."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)  # noqa: S101 (whoever takes this clock runs in that loop)
    return loop.now()
