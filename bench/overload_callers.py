"""The callers of overload.py, in a process of their own: python -m bench.overload_callers URL RATE SECONDS.

Each turn is a request over a connection of its own, read as bytes (callers must cost little beside what they measure),
and asks what nobody asked before, so that each has an embedding of its own.
Prints the turns and the CPU seconds as JSON.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

_LONGEST_SECONDS = 60


@dataclass(frozen=True)
class Turn:
    """One turn: its status (0: the connection failed), milliseconds to the first word and to the end."""

    status: int
    first_ms: float
    end_ms: float
    retry_after: bool


async def turn(host: str, port: int, number: int) -> Turn:
    """Play one."""
    asked = f"What loan options are available for {number} dollars?"
    body = json.dumps({"messages": [{"role": "user", "content": asked}], "stream": True})
    began, first, status, retry_after = time.perf_counter(), 0.0, 0, False
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            head = f"POST /api/chat/completions/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
            writer.write(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
            while piece := await reader.read(65536):
                if not status:
                    status = int(piece[9:12])
                    retry_after = b"retry-after" in piece.lower()
                if not first and b'"delta":{"content":' in piece:
                    first = time.perf_counter()
            writer.close()
    except (OSError, TimeoutError):
        status = 0
    end = time.perf_counter()
    return Turn(status, ((first or end) - began) * 1000, (end - began) * 1000, retry_after)


async def offer(base_url: str, rate: float, seconds: float) -> list[Turn]:
    """Begin a turn every 1/rate seconds, whatever became of those before."""
    address = urlsplit(base_url)
    turns: list[asyncio.Task[Turn]] = []
    began = time.perf_counter()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(began + number / rate - time.perf_counter())
        turns.append(asyncio.create_task(turn(address.hostname or "", address.port or 80, number)))
    return await asyncio.gather(*turns)


if __name__ == "__main__":
    url, per_second, length = sys.argv[1:]
    played = asyncio.run(offer(url, float(per_second), float(length)))
    print(json.dumps({"turns": [asdict(one) for one in played], "cpu": time.process_time()}))
