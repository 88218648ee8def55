"""What is remembered of each request. Times are seconds on the machine's monotonic clock, as `time.monotonic()`."""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

_SECRET = {"authorization", "x-amz-security-token", "cookie"}
_MOST_REQUESTS = 20_000


@dataclass(slots=True)
class RecordedRequest:
    """A request for a model, and what became of it."""

    connection: int
    received_at: float
    path: str
    model: str
    operation: str
    headers: Mapping[str, str]
    body: Any
    """The parsed JSON; the text if it was none."""
    signer: Mapping[str, Any] | None = None
    """scheme (sigv4 or bearer), access_key, region, and whether there was a session token; None: refused unread."""
    behaviour: Mapping[str, Any] | None = None
    """The behaviour that it took from the script."""
    status: int | None = None
    error: str | None = None
    """The name of the error that it was answered with, mid-stream too."""
    message: str | None = None
    first_byte_at: float | None = None
    deltas: int = 0
    """How many pieces of an answer were sent."""
    complete: bool = False
    """Whether an answer was sent whole, be it an error."""
    closed_at: float | None = None
    """When the client closed the connection; None while it is open, or if the server cut it."""

    @property
    def hung_up(self) -> bool:
        """Whether the client left before its answer was whole."""
        return self.closed_at is not None and not self.complete


@dataclass(slots=True)
class Record:
    """The requests since the start or the last reset, the oldest first."""

    requests: deque[RecordedRequest] = field(default_factory=lambda: deque(maxlen=_MOST_REQUESTS))

    def dump(self) -> list[dict[str, Any]]:
        """Return all as JSON has them."""
        return [asdict(request) for request in self.requests]


def without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers that may be shown."""
    return {name: "(secret)" if name in _SECRET else value for name, value in headers.items()}
