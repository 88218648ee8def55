"""The server as a test has it: started, scripted and asked what it saw."""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.support.bedrock.record import RecordedRequest

_ROOT = Path(__file__).parents[3]
_POLL_SECONDS = 0.005

Condition = Callable[[Sequence[RecordedRequest]], bool]


class BedrockWire:
    """A server process; a context manager that starts and stops it.

    Example:
        with BedrockWire() as wire:
            wire.script({"fault": "ThrottlingException", "times": 2}, {"text": "Hello."})
            ...  # a client of Bedrock at wire.base_url, or a process with wire.environment()
            assert [one.status for one in wire.requests()] == [429, 429, 200]
    """

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self.base_url = ""
        self._process: subprocess.Popen[str]
        self._http: httpx.Client

    def __enter__(self) -> Self:
        """Start the process and wait until it listens."""
        command = [sys.executable, "-m", "tests.support.bedrock", "--with-parent", "--port", str(self._port)]
        self._process = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.base_url = self._process.stdout.readline().rpartition(" ")[2].strip()
        if not self.base_url:
            self._stop()
            raise RuntimeError("the Bedrock on the wire did not start; its words are on standard error")
        self._http = httpx.Client(base_url=self.base_url, timeout=10, trust_env=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop the process."""
        self._http.close()
        self._stop()

    @property
    def pid(self) -> int:
        """The process' id."""
        return self._process.pid

    def environment(self, **more: str) -> dict[str, str]:
        """Return the variables that send an AWS SDK here, with credentials that are taken."""
        return {
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": self.base_url,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "AKIDWIRE",
            "AWS_SECRET_ACCESS_KEY": "not-a-secret",
            "AWS_EC2_METADATA_DISABLED": "true",
            **more,
        }

    def script(self, *behaviours: Mapping[str, Any]) -> None:
        """Add behaviours for the next requests; `script.Behaviour` tells what there is.

        Raises:
            ValueError: a behaviour makes no sense; the message says why.
        """
        answer = self._http.post("/script", json=behaviours)
        if answer.status_code != 200:
            raise ValueError(answer.json()["error"])

    def pending(self) -> list[dict[str, Any]]:
        """Return the behaviours that no request has taken yet."""
        return self._list("/script")

    def requests(self) -> list[RecordedRequest]:
        """Return what was asked since the start or the last reset, the oldest first."""
        return [RecordedRequest(**request) for request in self._list("/requests")]

    def connections(self) -> list[int]:
        """Return the numbers of the connections that are open now, this helper's own left out."""
        return [one["connection"] for one in self._list("/connections")]

    def reset(self) -> None:
        """Forget the script, the prompt cache and the requests; open connections stay."""
        for path in ("/script", "/requests"):
            self._http.delete(path).raise_for_status()

    def wait_for(self, condition: Condition, seconds: float = 5) -> None:
        """Return when the requests meet a condition, for instance `lambda seen: seen[0].hung_up`.

        Raises:
            TimeoutError: they did not in time.
        """
        deadline = time.monotonic() + seconds
        while not self._is_met(condition, deadline):
            time.sleep(_POLL_SECONDS)

    async def until(self, condition: Condition, seconds: float = 5) -> None:
        """Wait as `wait_for` does, for a test whose client runs in the same event loop."""
        deadline = time.monotonic() + seconds
        while not self._is_met(condition, deadline):  # noqa: ASYNC110  (what is waited for is in another process)
            await asyncio.sleep(_POLL_SECONDS)

    def _is_met(self, condition: Condition, deadline: float) -> bool:
        """Return whether a condition is met; a request that it asks for and that is not there yet fails it."""
        requests = self.requests()
        with contextlib.suppress(IndexError):
            if condition(requests):
                return True
        if time.monotonic() > deadline:
            raise TimeoutError(f"it is too late, and the requests are {requests}")
        return False

    def _list(self, path: str) -> list[Any]:
        answer = self._http.get(path).raise_for_status().json()
        assert isinstance(answer, list)
        return answer

    def _stop(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=10)
