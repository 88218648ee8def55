"""A limit on silence that costs a stream one timer, where `asyncio.timeout` costs it one for every chunk."""

import asyncio
from collections.abc import Callable
from math import inf


class Silence:
    """Calls back once if a wait between `begin` and `end` is longer than it may be. Begun when made; cancel it."""

    def __init__(self, seconds: float, too_long: Callable[[], None]) -> None:
        self._seconds = seconds
        self._too_long = too_long
        self._now = asyncio.get_running_loop().time
        self._since = self._now()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look)
        self.broken = False
        """Whether it has called back."""

    def begin(self) -> None:
        """From now on something is waited for."""
        self._since = self._now()

    def end(self) -> None:
        """Nothing is waited for now."""
        self._since = inf

    def cancel(self) -> None:
        """Never call back."""
        self._timer.cancel()

    def _look(self) -> None:
        left = self._seconds - max(self._now() - self._since, 0.0)
        if left > 0:
            self._timer = asyncio.get_running_loop().call_later(left, self._look)
        else:
            self.broken = True
            self._too_long()
