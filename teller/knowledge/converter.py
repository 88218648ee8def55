"""Documents converted in a process of their own, with a bound on time and memory: a hostile file costs only itself.

Run as a program, this module is that process: it reads requests on standard input and writes replies to standard
output, each a line of JSON (a request's is followed by the file's bytes), until its input ends.
"""

import asyncio
import json
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from teller.errors import DocumentRejectedError, DocumentTooLargeError, UnsupportedDocumentError
from teller.knowledge.formats import Converted, Kind, convert

LONGEST_SECONDS = 60.0
_LONGEST_END_SECONDS = 5.0  # a killed process that the system holds on to is left to it
_MAX_MEMORY_BYTES = 1_500_000_000
_ROOT = Path(__file__).parents[2]
_REFUSALS = {kind.__name__: kind for kind in (DocumentRejectedError, DocumentTooLargeError, UnsupportedDocumentError)}


class Converter:
    """A process that converts one document at a time; started by the first one, gone when the block ends.

    Threads may share it, and end it: who waits for a document then is told that it was refused.
    """

    def __init__(self, longest_seconds: float = LONGEST_SECONDS) -> None:
        self._longest = longest_seconds
        self._guard = threading.Lock()
        self._beginning = threading.Lock()  # a process that begins as the block ends is seen by its end
        self._process: subprocess.Popen[bytes] | None = None
        self._over = False

    async def __aenter__(self) -> Self:
        """Begin; no process is started yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the process, also in the middle of a document; its end is waited for beside the event loop."""
        self._over = True
        if self._process is not None:
            self._process.kill()  # now: the thread that waits for it may have to wait for a place
        await asyncio.to_thread(self._end)

    def convert(self, kind: Kind, data: bytes) -> Converted:
        """Do what `formats.convert` does, elsewhere.

        Raises:
            DocumentRejectedError: as there; DocumentTooLargeError where reading it takes too long or too much memory.
        """
        with self._guard:
            process = self._started()
            watch = threading.Timer(self._longest, process.kill)
            watch.start()
            try:
                reply = _asked(process, kind, data)
            finally:
                watch.cancel()
            if reply is None:
                self._end()
                raise DocumentTooLargeError(
                    "The file takes too long or too much memory to read: split it, or save it as plain text."
                )
        if "refused" in reply:
            raise _REFUSALS[reply["error"]](reply["refused"])
        return Converted(reply["title"], reply["markdown"])

    def _started(self) -> subprocess.Popen[bytes]:
        with self._beginning:
            if self._over:
                raise DocumentRejectedError("The document was not read: it was cancelled.")
            if self._process is None or self._process.poll() is not None:
                # No environment but the path: a file that breaks out of its parser finds no secret.
                self._process = subprocess.Popen(  # noqa: S603 - ourselves
                    [sys.executable, "-m", __name__],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env={"PYTHONPATH": str(_ROOT)},
                )
            return self._process

    def _end(self) -> None:
        with self._beginning:
            process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_LONGEST_END_SECONDS)
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError, ValueError):
                if pipe:
                    pipe.close()


def _asked(process: subprocess.Popen[bytes], kind: Kind, data: bytes) -> dict[str, Any] | None:
    """Return the reply; None where the process ended instead."""
    if process.stdin is None or process.stdout is None:
        return None
    try:
        process.stdin.write(json.dumps({"kind": kind, "size": len(data)}).encode() + b"\n" + data)
        process.stdin.flush()
        reply: dict[str, Any] = json.loads(process.stdout.readline())
    except (OSError, ValueError):  # a line that was cut is no JSON
        return None
    return reply


def main(requests: BinaryIO, replies: BinaryIO) -> None:
    """Serve requests until there are no more."""
    for line in requests:
        _set_limits()
        request = json.loads(line)
        reply = _reply(request["kind"], requests.read(request["size"]))
        replies.write(json.dumps(reply).encode() + b"\n")
        replies.flush()


def _reply(kind: Kind, data: bytes) -> dict[str, Any]:
    try:
        converted = convert(kind, data)
    except DocumentRejectedError as refused:
        return {"refused": str(refused), "error": type(refused).__name__}
    return {"title": converted.title, "markdown": converted.markdown}


def _set_limits() -> None:
    """Bound memory, and the time for this document: whoever started us may be gone before it ends."""
    with suppress(ImportError, ValueError, OSError):  # where the system knows no such bounds, the starter's is all
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))
        used = resource.getrusage(resource.RUSAGE_SELF)
        until = int(used.ru_utime + used.ru_stime + 2 * LONGEST_SECONDS)
        resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
