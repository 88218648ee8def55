"""Many callers at once: the same script, each in a call of its own."""

import asyncio
from collections.abc import Sequence

from simulator.call import Line
from simulator.player import Player
from simulator.report import CallReport
from simulator.script import Script

_SECONDS_APART = 0.05


async def play_many(script: Script, line: Line, callers: int, numbers: Sequence[str] = ()) -> list[CallReport]:
    """Return the reports of so many calls, which begin shortly after each other; the numbers go round.

    What a script expects of the ledger stays unjudged: the callers change it together.
    """

    async def caller(place: int) -> CallReport:
        await asyncio.sleep(place * _SECONDS_APART)
        number = numbers[place % len(numbers)] if numbers else None
        return await Player(script, line, number=number).play()

    return await asyncio.gather(*map(caller, range(callers)))
