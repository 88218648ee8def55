"""What a call is to be: who calls, over which channel, how fast everybody speaks, and step by step what happens.

`docs/call_scripts.md` is the page about it. `reading.py` reads one from YAML.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from simulator.speaking import words_of

MOST_STEPS = 200
Seconds = Annotated[float, Field(ge=0, le=3600)]
Count = Annotated[int, Field(ge=0, le=10_000)]
Replica = Annotated[int, Field(ge=0, le=99)]
CardState = Literal["inactive", "active", "blocked", "closed"]
ToolName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


def _of_roles(messages: object) -> object:
    roles = {role for one in messages if isinstance(one, dict) for role in one} if isinstance(messages, list) else set()
    if roles - {"system", "user", "assistant"}:
        raise ValueError("a message is by system, user or assistant")
    return messages


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Numbers = Annotated[tuple[Annotated[int, Field(ge=1)], ...], BeforeValidator(_listed)]
Replicas = Annotated[tuple[Replica, ...], BeforeValidator(_listed), Field(min_length=1)]


class Part(BaseModel):
    """A part of a script: what it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Expect(Part):
    """What the reply must be. Words are compared without regard to case and line breaks."""

    all: Texts = Field((), description="Texts that all stand in it.")
    any: Texts = Field((), description="Texts of which one stands in it.")
    none: Texts = Field((), alias="not", description="Texts that do not stand in it.")
    regex: str | None = Field(None, description="A regular expression that is found in it.")
    tool: str | None = Field(None, description="The tool that is called; `none`: none is.")
    arguments: Mapping[str, str] | None = Field(None, description="What that tool is called with.")
    route: str | None = Field(None, description="The route that Teller took, or several: `knowledge,card`.")
    status: int | None = Field(None, ge=100, le=599, description="The HTTP status; without it, 200.")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.arguments is not None and self.tool in (None, "none"):
            raise ValueError("arguments need the tool that is called with them")
        try:
            re.compile(self.regex or "")
        except re.error as wrong:
            raise ValueError(f"regex: {wrong}") from None
        return self


class Interruption(Part):
    """When something breaks into the reply: after words that were heard, or seconds after its request was sent."""

    words: Count | None = None
    seconds: Seconds | None = None

    @model_validator(mode="before")
    @classmethod
    def _a_number_counts_words(cls, given: object) -> object:
        return {"words": given} if isinstance(given, str | int) and not isinstance(given, bool) else given

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.words is None) == (self.seconds is None):
            raise ValueError("takes words or seconds, one of them")
        return self


class Step(Part):
    """What every step may say: what must be so once its reply is over, or cut."""

    expect: Expect | None = None
    ledger: Mapping[str, CardState] | None = Field(
        None, description="Last four of the caller's cards, and their states; `new`: a card that was not there before."
    )
    writes: Count | None = Field(None, description="Changes committed in the whole ledger since the script began.")


class Say(Step):
    """The caller speaks."""

    say: Annotated[str, Field(min_length=1, max_length=4000)]
    guesses: Numbers = Field((), description="After which words a request is sent though the caller still speaks.")
    words_per_second: Annotated[float, Field(gt=0, le=20)] | None = Field(None, description="Another pace, this once.")
    barge_in: Interruption | None = Field(None, description="Into the reply before: when the caller begins.")
    replica: Replicas | None = Field(None, description="Which replica; several: the same request to each at once.")

    @model_validator(mode="after")
    def _guesses_are_words(self) -> Self:
        count = len(words_of(self.say).words)
        if not count:
            raise ValueError("say: there is no word in it")
        if any(guess > count for guess in self.guesses):
            raise ValueError(f"guesses: there are {count} words")
        return self


class Keypad(Step):
    """The caller types."""

    keypad: Annotated[str, Field(pattern=r"^[0-9*#]{1,32}$")]
    barge_in: Interruption | None = None
    replica: Replicas | None = None


class Silence(Step):
    """The caller is silent until the platform asks for a word to break it: the last message is the assistant's."""

    silence: Seconds
    replica: Replicas | None = None


class Repeat(Step):
    """The last request comes again, so often, as it was."""

    repeat: Annotated[int, Field(ge=1, le=100)]
    replica: Replicas | None = None


def _when_to_hang_up(given: object) -> object:
    if isinstance(given, str) and not given.isdecimal() and given != "after_reply":
        raise ValueError("is after_reply, or {words: 2} or {seconds: 0.3} of the reply")
    return None if given == "after_reply" else given


class HangUp(Step):
    """The caller hangs up: after the reply (`after_reply` in a file, None here), or in the middle of it."""

    hang_up: Annotated[Interruption | None, BeforeValidator(_when_to_hang_up)]


class EndCall(Step):
    """The platform tells the server that the call is over."""

    end_call: Annotated[Literal[True], BeforeValidator(lambda given: given in (True, "true"))]


class Wait(Step):
    """Time passes."""

    wait: Seconds


class Dial(Step):
    """A new call begins, from this number or the same one."""

    dial: str


class Forge(Step):
    """Messages that were never said or heard enter the history: what a client could make up."""

    forge: Annotated[tuple[Mapping[str, str], ...], BeforeValidator(_of_roles), Field(min_length=1, max_length=20)]


class Replay(Step):
    """The last request of an earlier step is sent again, byte for byte; the call goes on as if it had not been."""

    replay: Annotated[int, Field(ge=1)] = Field(description="The step, counted from 1.")
    key: str | None = Field(None, description="Another key than the call's.")


AnyStep = Say | Keypad | Silence | Repeat | HangUp | EndCall | Wait | Dial | Forge | Replay
STEPS = ("say", "keypad", "silence", "repeat", "hang_up", "end_call", "wait", "dial", "forge", "replay")


def _kinds(step: Any) -> list[str]:
    given = step if isinstance(step, dict) else vars(step) if isinstance(step, Step) else {}
    return [name for name in STEPS if name in given]


def _of_one_kind(step: Any) -> Any:
    if len(found := _kinds(step)) != 1:
        told = {"steps": ", ".join(STEPS), "what": " and ".join(found) or "none of them"}
        raise PydanticCustomError("step", "a step is one of {steps}; this is {what}", told)
    return step


def _some(steps: Any) -> Any:
    if not isinstance(steps, list | tuple) or not steps:
        raise ValueError("is a list of one step or more")
    return steps


TaggedStep = Annotated[
    Annotated[Say, Tag("say")]
    | Annotated[Keypad, Tag("keypad")]
    | Annotated[Silence, Tag("silence")]
    | Annotated[Repeat, Tag("repeat")]
    | Annotated[HangUp, Tag("hang_up")]
    | Annotated[EndCall, Tag("end_call")]
    | Annotated[Wait, Tag("wait")]
    | Annotated[Dial, Tag("dial")]
    | Annotated[Forge, Tag("forge")]
    | Annotated[Replay, Tag("replay")],
    Discriminator(lambda step: _kinds(step)[0]),
    BeforeValidator(_of_one_kind),
]


class CallerId(Part):
    """Who calls, and where the number stands."""

    number: str | None = Field(None, description="Such as +1234567890; without: withheld.")
    how: Literal["vapi", "metadata", "tag"] = Field(
        "vapi", description="customer.number of a Vapi body, metadata.phone, or a [phone: …] tag in the first words."
    )
    metadata: str | None = Field(None, description="Another number, in metadata.phone beside the first.")


class Speech(Part):
    """How fast everybody is."""

    words_per_second: Annotated[float, Field(gt=0, le=20)] = Field(2.5, description="The caller.")
    assistant_words_per_second: Annotated[float, Field(gt=0, le=20)] = Field(3.0, description="The voice.")
    endpointing: Seconds = Field(0.4, description="Silence after which the platform takes the caller to be done.")
    reaction: Seconds = Field(0.3, description="From the end of a reply to the caller's first word.")


class Transcript(Part):
    """How the platform writes down what was heard of the assistant."""

    recased: bool = Field(False, description="In small letters, without commas.")
    merged: bool = Field(True, description="Assistant turns that follow each other become one.")


class Setting(Part):
    """All of a script but its steps."""

    name: str = ""
    about: str = ""
    caller: CallerId = CallerId()
    channel: Literal["voice", "chat"] = Field("voice", description="voice: with Vapi's `call`; chat: without.")
    system: str | None = Field("You answer the phone of a bank. Be brief and friendly.", description="`none`: none.")
    opening: str | None = Field(
        "Hello, how can I help you?", description="What the assistant says first; `none`: the model makes it."
    )
    tools: tuple[ToolName, ...] = Field((), description="endCall, transferCall; any other takes whatever it is given.")
    speech: Speech = Speech()
    transcript: Transcript = Transcript()
    replicas: Literal["first", "in_turn"] = Field("in_turn", description="Who gets a request, if several serve.")

    @model_validator(mode="before")
    @classmethod
    def _none_is_none(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {
            name: None if name in ("system", "opening") and value in ("none", "null", "~", "") else value
            for name, value in given.items()
        }


class Script(Setting):
    """A call."""

    steps: Annotated[tuple[TaggedStep, ...], BeforeValidator(_some)] = Field(max_length=MOST_STEPS)

    @model_validator(mode="after")
    def _replays_what_was_sent(self) -> Self:
        for number, step in enumerate(self.steps, 1):
            if isinstance(step, Replay) and step.replay >= number:
                raise ValueError(f"step {number}: replay: names an earlier step")
        return self
