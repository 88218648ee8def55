"""All that happened in a call. Times are seconds since it began; durations are milliseconds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from simulator.replies import ToolCall

RequestKind = Literal["opening", "guess", "final", "keypad", "silence", "repeat", "replay"]
Holders = list[dict[str, Any]]
"""A ledger as `teller cards list --json` shows it."""


@dataclass(slots=True)
class RequestRecord:
    """One request: a guess that was cancelled, or one whose reply was heard.

    `arrivals`: how many characters of the reply had come after so many milliseconds. `routes`: the header
    `x-teller-routes`. `server_timing`: that header, by the server's own clock, so it does not count where records are
    compared.
    """

    kind: RequestKind
    replica: int
    words: str
    sent_at: float
    status: int | None = None
    model: str = ""
    routes: str = ""
    first_word_ms: float | None = None
    took_ms: float | None = None
    cancelled: bool = False
    error: str | None = None
    text: str = ""
    arrivals: list[tuple[float, int]] = field(default_factory=list)
    server_timing: str = field(default="", compare=False)
    tool_calls: list[ToolCall] = field(default_factory=list)
    finish_reason: str | None = None


@dataclass(slots=True)
class TurnRecord:
    """What the caller did, the requests that it led to, and what was heard of the reply.

    `wait_ms`: from the end of the caller's speech to the first word of the reply that was heard.
    """

    step: int
    said: str
    speech_ended_at: float | None = None
    requests: list[RequestRecord] = field(default_factory=list)
    heard: str = ""
    cut: bool = False
    wait_ms: float | None = None

    @property
    def reply(self) -> RequestRecord | None:
        """The request whose reply was meant to be heard."""
        return self.requests[-1] if self.requests else None


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation; `met` is None where nobody could look."""

    step: int
    what: str
    met: bool | None
    found: str = ""


@dataclass(slots=True)
class CallReport:
    """A script as it was played; `ended_by` tells what ended the last call, if anything did."""

    script: str
    number: str | None
    call_ids: list[str] = field(default_factory=list)
    turns: list[TurnRecord] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    ledger_before: Holders | None = None
    ledger_after: Holders | None = None
    ended_by: str = ""

    @property
    def failed(self) -> list[Check]:
        """The expectations that were not met."""
        return [check for check in self.checks if check.met is False]

    @property
    def requests(self) -> list[RequestRecord]:
        """All requests, in the order of their turns."""
        return [request for turn in self.turns for request in turn.requests]


@dataclass(frozen=True, slots=True)
class CallerSpoke:
    """The caller said or did something."""

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class AssistantHeard:
    """A reply, as much as was heard of it."""

    at: float
    words: str
    cut: bool


@dataclass(frozen=True, slots=True)
class RequestOver:
    """A request was answered, failed or was cancelled."""

    at: float
    request: RequestRecord


Happening = CallerSpoke | AssistantHeard | RequestOver | Check
Tell = Callable[[Happening], None]
"""Takes what happens, when it happens."""


def nobody(_: Happening) -> None:
    """Take what happens and tell nobody."""
