"""The steps of a story on the phone or in chat."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """Something that happens, to one of the callers."""

    who: int


@dataclass(frozen=True)
class Says(Step):
    """He says this; a fraction of its words at a time goes out as guesses; then he listens: wholly, or so far."""

    words: str
    guesses: tuple[int, ...] = ()
    hears: tuple[str, float] | None = None
    both: bool = False
    words_per_second: float | None = None


@dataclass(frozen=True)
class Answers(Says):
    """He says what fits the question that he heard last: `words` counts for nothing else."""


@dataclass(frozen=True)
class IsAsked(Step):
    """He has a wish and gives the card and the PIN that he is asked for, until he is asked to confirm it."""

    words: str


@dataclass(frozen=True)
class Repeats(Step):
    """His platform sends its last request again; what he heard of the first reply is forgotten."""

    hears: tuple[str, float] | None = None


@dataclass(frozen=True)
class IsSilent(Step):
    """He says nothing."""


@dataclass(frozen=True)
class SentLate(Step):
    """A request of his from a while ago, the `back`-th before the last, arrives now with its own time on it.

    `goes_on`: nobody listens to it, nobody hangs up on it, and other things happen meanwhile.
    """

    back: int
    goes_on: bool = False


@dataclass(frozen=True)
class HangsUp(Step):
    """He hangs up in the middle of a reply, or after it, and calls again; the end of the call is told, or is not."""

    after: float | None
    told: bool = False


@dataclass(frozen=True)
class TimePasses(Step):
    """Nothing happens for so long."""

    seconds: float


@dataclass(frozen=True)
class Dies(Step):
    """A replica loses what it is doing while he is talking to it, and starts anew."""

    replica: int
    after: float
