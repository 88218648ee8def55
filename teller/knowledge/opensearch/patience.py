"""How long a request is tried again, and after which pauses."""

import asyncio
import random

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0


class Patience:
    """The time of one request and of its repetitions, each `each` seconds at most; `tries` may bound them too."""

    def __init__(self, seconds: float, each: float, tries: int | None = None) -> None:
        self._now = asyncio.get_running_loop().time
        self._deadline, self._each = self._now() + seconds, each
        self._tries, self._made = tries, 0

    @property
    def timeout(self) -> float:
        """How long the next try may take."""
        return min(self._each, max(0.05, self._deadline - self._now()))

    async def pause(self) -> bool:
        """Wait, longer each time, and return whether to try again; False is returned at once."""
        pause = min(_FIRST_PAUSE_SECONDS * 2**self._made, _LONGEST_PAUSE_SECONDS) * (0.5 + random.random())  # noqa: S311
        self._made += 1
        if self._made == self._tries or self._now() + pause >= self._deadline:
            return False
        await asyncio.sleep(pause)
        return True
