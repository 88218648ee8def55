"""One turn of a call while it lasts: the caller's words so far, the requests sent for them, the reply being heard."""

import asyncio
from dataclasses import dataclass, field

from simulator.history import History
from simulator.listening import Listening
from simulator.replies import ToolCall
from simulator.report import RequestRecord, TurnRecord
from simulator.request import OpenRequest
from simulator.script import Interruption


@dataclass(slots=True)
class Turn:
    """A turn. `before` is the history that its requests have in front of its words; `aside`: it enters no history."""

    before: History
    record: TurnRecord
    words: str = ""
    requests: list[OpenRequest] = field(default_factory=list)
    listening: Listening | None = None
    speech_ended: float | None = None
    listened_from: float = 0.0
    aside: bool = False

    @property
    def newest(self) -> RequestRecord | None:
        """The last request that was sent."""
        return self.requests[-1].record if self.requests else None

    async def close(self) -> None:
        """Hang up on every request that is not answered whole."""
        for request in self.requests:
            await request.close()

    def listen(self, words_per_second: float) -> None:
        """Let the newest reply be spoken from now on."""
        self.listening = self.requests[-1].listen(words_per_second)
        self.listened_from = asyncio.get_running_loop().time()

    async def hear(self, until: Interruption | None) -> bool:
        """Listen until the reply is over or an interruption comes; returns whether that found a reply to interrupt."""
        listening = self.listening
        if listening is None:
            return False
        if until is None or until.words is not None:
            return await listening.until(until.words if until else None)
        await asyncio.sleep(max(0.0, (until.seconds or 0.0) - self.requests[-1].age))
        return not listening.all_heard

    def put_down(self) -> bool:
        """Put down in the record what was heard by now; returns whether the reply was heard whole."""
        record, listening = self.record, self.listening
        if listening is None:
            return False
        request = self.requests[-1]
        whole = listening.all_heard and not request.record.error and not request.record.cancelled
        record.heard, record.cut = listening.words(listening.heard), not whole
        if self.speech_ended is not None and request.first_word_at is not None:
            first = max(request.first_word_at, self.listened_from)
            record.wait_ms = round((first - self.speech_ended) * 1000, 3)
        return whole

    @property
    def calls(self) -> list[ToolCall]:
        """The tools that the reply calls."""
        return self.requests[-1].record.tool_calls
