"""One request that is under way: it reads the reply by itself, until somebody hangs up."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from simulator.listening import Listening
from simulator.replies import Heard, frames, refusal
from simulator.report import RequestRecord
from simulator.transport import Transport, TransportError

_HEADERS = {"content-type": "application/json", "accept": "application/json", "user-agent": "teller-call/1"}


class OpenRequest:
    """A request whose reply streams into its record, and into the voice once one is attached."""

    def __init__(self, record: RequestRecord, over: Callable[[RequestRecord], None]) -> None:
        self.record = record
        self.listening: Listening | None = None
        self.first_word_at: float | None = None
        self._over = over
        self._heard = Heard()
        self._began = asyncio.get_running_loop().time()
        self._task: asyncio.Task[None]

    def send(self, transport: Transport, path: str, body: dict[str, Any], key: str) -> None:
        """Send it."""
        headers = {**_HEADERS, **({"authorization": f"Bearer {key}"} if key else {})}
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        self._task = asyncio.create_task(self._read(transport, path, content, headers))

    def listen(self, words_per_second: float) -> Listening:
        """Let the reply be spoken from now on."""
        if self.listening is None:
            self.listening = Listening(words_per_second)
            self.listening.take(self._heard.text)
            if self._task.done():
                self.listening.complete()
        return self.listening

    @property
    def age(self) -> float:
        """Seconds since it was sent."""
        return asyncio.get_running_loop().time() - self._began

    async def close(self) -> None:
        """Hang up, if the reply is not whole yet."""
        if self._task.done():
            return
        self.record.cancelled = True
        self._task.cancel()
        await asyncio.wait({self._task})

    async def done(self) -> None:
        """Return when the reply is whole, or has failed."""
        await asyncio.wait({self._task})

    async def _read(self, transport: Transport, path: str, content: bytes, headers: dict[str, str]) -> None:
        record = self.record
        try:
            async with transport.post(path, content, headers) as reply:
                record.status = reply.status
                record.routes = reply.headers.get("x-teller-routes", "")
                record.server_timing = reply.headers.get("server-timing", "")
                if reply.status != 200:
                    record.error = await refusal(reply)
                    return
                async for frame in frames(reply):
                    if words := self._heard.take(frame):
                        self._take(words)
            record.error = self._heard.error or (None if self._heard.whole else "the stream ended without a reason")
        except TransportError as failure:
            record.error = str(failure)
        finally:
            self._finish()

    def _take(self, words: str) -> None:
        now = self._milliseconds()
        if self.first_word_at is None:
            self.first_word_at = asyncio.get_running_loop().time()
            self.record.first_word_ms = now
        self.record.arrivals.append((now, len(self._heard.text)))
        if self.listening is not None:
            self.listening.take(words)

    def _finish(self) -> None:
        record, heard = self.record, self._heard
        record.took_ms = self._milliseconds()
        record.text, record.model, record.finish_reason = heard.text, heard.model, heard.finish_reason
        record.tool_calls = heard.tool_calls
        if self.listening is not None:
            self.listening.complete()
        self._over(record)

    def _milliseconds(self) -> float:
        return round((asyncio.get_running_loop().time() - self._began) * 1000, 3)
