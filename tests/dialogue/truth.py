"""What must be true of every story: of the writes in the audit trail, and of every word that was sent to a caller.

It is judged from outside, by the requests, the replies and the ledger's rows, with none of the code that is judged.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.virtual_time import BEGINNING
from teller.cards.records import Operation
from tests.dialogue.stories import PINS, Exchange, Story

_DIGITS = {name: str(digit) for digit, name in enumerate("zero one two three four five six seven eight nine".split())}
_YES = frozenset("yes yeah sure go ahead do that's right".split())
_POLITE = frozenset("please um uh it that thanks my a the card can you".split())
_VERBS = {
    Operation.BLOCK: "block",
    Operation.REPORT_LOST: "report",
    Operation.UNBLOCK: "unblock",
    Operation.ACTIVATE: "activate",
    Operation.REPLACE: "replacement",
}
_VERBS_OF_YES = {
    Operation.BLOCK: {"block", "freeze", "lock"},
    Operation.REPORT_LOST: {"report", "close"},
    Operation.UNBLOCK: {"unblock", "unfreeze"},
    Operation.ACTIVATE: {"activate"},
    Operation.REPLACE: {"replace", "replacement", "order"},
}
_WITH_PIN = (Operation.UNBLOCK, Operation.ACTIVATE, Operation.REPLACE)
_SETTLES = {Operation.BLOCK: 1.0}
_FINAL = 3.0
_PIN_SETTLES = 1.0
_COUNTS_FOR = 600.0  # a question waits for its answer so long, and so long a PIN counts
_UNDER_WAY = 15.0  # at most, from a question's request to its last word, and from an answer to its write
_LOCKED_FOR, _WRONG_BEFORE_LOCK = 900.0, 3
_UNDO_WITHIN = 120.0
_TICK = 2e-3  # a request's time travels in whole milliseconds
_CORRECTION = re.compile(r"\b(?:other|not|take it back|mistake|actually|wait|don't|visa|no)\b")
_TOLD = (
    (r"I've blocked your {card}", "blocked"),
    (r"I've closed your {card}", "closed"),
    (r"Your {card} is unblocked", "active"),
    (r"your {card} is active again", "active"),
    (r"Your {card} stays as it is", "active|blocked"),
    (r"your old {card} is closed", "closed"),
    (r"ordered your new {card}", "inactive|active|blocked|closed"),
    (r"your new {card} is on its way", "inactive|active|blocked|closed"),
    (r"Your {card} is active\b", "active"),
    (r"Your {card} is (?:already )?blocked\b", "blocked"),
    (r"Your {card} is not activated yet", "inactive"),
    (r"Your {card} isn't activated yet", "inactive"),
    (r"Your {card} is closed\b", "closed"),
    (r"Your {card} isn't blocked: it is active", "active"),
)
_CARD = r"[\w ]+? ending (\d{4})"
_SECRETS = re.compile(
    r"The balance on|The limit of|The next payment|The latest payments|I see no payments|Nothing is due"
)


@dataclass
class Write:
    """A change of a card that the audit trail holds: when, for which wish, and how the cards stand after it."""

    at: float
    event: str
    wish: str
    operation: Operation
    last4: str
    changed: bool
    call: str
    phone: str
    states: dict[str, str] = field(default_factory=dict)


@dataclass
class Verdict:
    """A PIN that was judged, as the audit trail holds it. `counts`: a wrong one that was not wrong before."""

    at: float
    right: bool
    counts: bool
    call: str
    phone: str


def digits(text: str) -> str:
    """Return a text with digit words as digits, and single digits in a row as one number."""
    text = re.sub(r"\b(?:zero|one|two|three|four|five|six|seven|eight|nine)\b", lambda word: _DIGITS[word[0]], text)
    return re.sub(r"(?<=\b\d) (?=\d\b)", "", text)


def words(text: str) -> list[str]:
    """Return the words of a text in small letters, numbers as digits."""
    return re.findall(r"[a-z']+|\d+", digits(text.lower()))


@dataclass
class Truth:
    """The ledger's side of a story, and the judge."""

    story: Story
    writes: Sequence[Write]
    verdicts: Sequence[Verdict]
    began: dict[str, dict[str, str]]
    ended: dict[str, dict[str, str]]
    counted: dict[str, int]

    def problems(self) -> Iterator[str]:
        """Give what is not as it must be, in words."""
        for write in self.writes:
            yield from self.of_write(write)
        for verdict in self.verdicts:
            yield from self.of_verdict(verdict)
        for exchange in self.story.exchanges:
            yield from self.of_reply(exchange)
        for phone, states in self.ended.items():
            if (last := list(self.timeline(phone))[-1][1]) != states:
                yield f"the trail leads to {last}, the ledger holds {states}"
            changes = sum(write.phone == phone and write.changed for write in self.writes)
            if changes != self.counted[phone]:
                yield f"{changes} changes in the trail, {self.counted[phone]} counted"

    def timeline(self, phone: str) -> Iterator[tuple[float, dict[str, str]]]:
        """Give the states of a caller's cards, each with the moment from which it holds."""
        states = dict(self.began[phone])
        yield 0.0, dict(states)
        for write in self.writes:
            if write.phone == phone:
                states |= write.states
                yield write.at, dict(states)

    def states_between(self, phone: str, start: float, end: float) -> list[dict[str, str]]:
        """Return the states in which a caller's cards were between two moments."""
        line = list(self.timeline(phone))
        ends = [at for at, _ in line[1:]] + [float("inf")]
        return [
            states
            for (at, states), until in zip(line, ends, strict=True)
            if at <= end + _TICK and until >= start - _TICK
        ]

    def of_write(self, write: Write) -> Iterator[str]:
        """(a) asked, heard, answered, settled, proven; (b) once; (d) a closed card stays closed."""
        before = self.states_between(write.phone, 0, write.at - 2 * _TICK)[-1]
        opened = [
            card for card, state in before.items() if state == "closed" and write.states.get(card, state) != state
        ]
        if opened:
            yield f"{write}: opens the closed {opened}"
        if sum(other.wish == write.wish and other.event == write.event for other in self.writes) > 1:
            yield f"{write}: its wish is written twice"
        if write.event == "undone":
            yield from self.of_undoing(write)
            return
        if write.operation in _WITH_PIN and not self.proven(write.call, write.phone, write.at):
            yield f"{write}: no PIN"
        asked = self.of_call(write)
        voice = bool(asked) and asked[0].voice
        if not voice and write.operation is Operation.BLOCK:
            wished = {"block", "freeze", "lock", "visa", "gold", "first", "second", "other", "both", "4242"}
            if not any(wished & set(words(one.said)) or self.says_yes(one, write) for one in asked):
                yield f"{write}: nobody asked for it"
            return
        answers = [one for one in asked if self.says_yes(one, write)]
        if not answers:
            yield f"{write}: no question was asked, heard and answered with yes"
        elif not any(self.asks(one, write) for one in self.of_call(write) if one.ended >= self.asked_since(write)):
            yield f"{write}: nobody asked for it anew"
        elif voice:
            yield from self.of_settling(write, asked, answers)

    def of_verdict(self, verdict: Verdict) -> Iterator[str]:
        """A PIN is judged where it was said, has stood long enough, and is not locked."""
        spoken = [
            one
            for one in self.story.exchanges
            if (one.call, one.phone) == (verdict.call, verdict.phone) and one.said and one.at <= verdict.at + _TICK
        ]
        if verdict.right and not any(self.gives_pin(one) for one in spoken):
            yield f"{verdict}: nobody said it"
        if self.locked(verdict):
            yield f"{verdict}: judged while it was locked"
        newest = max(spoken, key=lambda one: (one.stamped, one.at), default=None)
        if newest is None or not newest.voice:
            return
        stood = verdict.at - min(one.at for one in spoken if words(one.said) == words(newest.said))
        if not _digits_only(newest.said) or stood < _PIN_SETTLES - _TICK:
            yield f"{verdict}: {newest.said!r} were the newest words, for {stood:.2f} s"

    def locked(self, verdict: Verdict) -> bool:
        """Return whether the caller had said three wrong PINs before, and not long ago."""
        wrong: list[float] = []
        locked_at = -_LOCKED_FOR
        for other in self.verdicts:
            if other is verdict:
                break
            if other.phone == verdict.phone:
                wrong = [] if other.right else [*wrong, other.at] if other.counts else wrong
                if len(wrong) == _WRONG_BEFORE_LOCK:
                    wrong, locked_at = [], other.at
        return verdict.at < locked_at + _LOCKED_FOR - _TICK

    def asked_since(self, write: Write) -> float:
        """Return since when a write must have been asked: a question lasts ten minutes, one write, and one call."""
        before = [
            other.at
            for other in self.writes
            if (other.call, other.operation, other.last4) == (write.call, write.operation, write.last4)
            and other.at < write.at
        ]
        if write.operation is not Operation.BLOCK and self.story.told_ends.get(write.call, write.at) < write.at:
            before.append(self.story.told_ends[write.call])
        return max([write.at - _COUNTS_FOR - _UNDER_WAY, *before])

    def asks(self, one: Exchange, write: Write) -> bool:
        """Return whether a reply asks the question for this write."""
        asked = self.question(words(one.text))
        return asked is not None and {_VERBS[write.operation], write.last4} <= set(asked)

    def of_undoing(self, write: Write) -> Iterator[str]:
        """A block is taken back where somebody said so, and soon."""
        if not any(_CORRECTION.search(one.said.lower()) for one in self.of_call(write, since=write.at - 150)):
            yield f"{write}: taken back, though nobody said so"
        blocks = [one for one in self.writes if one.phone == write.phone and one.operation is Operation.BLOCK]
        if not any(one.last4 == write.last4 and 0 <= write.at - one.at <= _UNDO_WITHIN + _TICK for one in blocks):
            yield f"{write}: taken back too late"

    def of_settling(self, write: Write, asked: Sequence[Exchange], answers: Sequence[Exchange]) -> Iterator[str]:
        """The newest words say yes, have stood long enough, and their caller is still there, where he must be."""
        spoken = [one for one in asked if one.said and one.at < write.at - _TICK]
        if not spoken:
            yield f"{write}: it did not settle"
            return
        newest = max(spoken, key=lambda one: (one.stamped, one.at))
        if newest not in answers:
            yield f"{write}: the newest words were {newest.said!r}"
            return
        stood = write.at - min(one.at for one in answers if one.said == newest.said)
        if stood < _SETTLES.get(write.operation, _FINAL) - _TICK:
            yield f"{write}: settled for {stood:.2f} s only"
        if write.operation is not Operation.BLOCK and not any(one.ended >= write.at - _TICK for one in answers):
            yield f"{write}: the caller had hung up"

    def of_call(self, write: Write, since: float = 0.0) -> list[Exchange]:
        """Return the requests of the write's caller in its call before it."""
        return [
            one
            for one in self.story.exchanges
            if (one.call, one.phone) == (write.call, write.phone) and since <= one.at <= write.at + _TICK
        ]

    def says_yes(self, one: Exchange, write: Write) -> bool:
        """Return whether a request's history holds the question for this write, and nothing but a yes after it."""
        answer: list[str] = []
        for message in reversed(one.messages):
            said = words(str(message["content"] or ""))
            if message["role"] == "user":
                answer = said + answer
            elif message["role"] == "assistant":
                question = self.question(said)
                if question is not None:
                    wanted = {_VERBS[write.operation], write.last4}
                    says = _YES | _VERBS_OF_YES[write.operation]
                    rest = set(answer) - _POLITE - set(question) - says
                    return wanted <= set(question) and not rest and not says.isdisjoint(answer)
                if len(self.without_filler(said)) >= 4:
                    return False
        return False

    @staticmethod
    def question(said: Sequence[str]) -> list[str] | None:
        """Return the last question that an assistant's turn holds, if a card's last four are in it."""
        text = " ".join(said)
        found = re.findall(r"shall i (?!block your [^?]* or your)(.*)$", text)
        last = str(found[-1]).rpartition("shall i ")[2].split() if found else []
        return last if any(len(word) == 4 and word.isdigit() for word in last) else None

    @staticmethod
    def without_filler(said: Sequence[str]) -> Sequence[str]:
        """Return the words behind the filler."""
        filler = words("One moment, I'm looking at your card.")
        return said[len(filler) :] if list(said[: len(filler)]) == filler[: len(said)] else said

    def proven(self, call: str, phone: str, at: float) -> bool:
        """Return whether the caller's PIN was found right in this call in the ten minutes before."""
        return any(
            verdict.right and (verdict.call, verdict.phone) == (call, phone)
            for verdict in self.verdicts
            if at - _COUNTS_FOR - _TICK <= verdict.at <= at + _TICK
        )

    def gives_pin(self, one: Exchange) -> bool:
        """Return whether the caller's PIN is in what he says in a request's messages."""
        return PINS[one.phone] in _digits_only(" ".join(self.user_texts(one)))

    @staticmethod
    def user_texts(one: Exchange) -> list[str]:
        """Return what the user says in a request's messages."""
        return [str(message["content"]) for message in one.messages if message["role"] == "user"]

    def of_reply(self, one: Exchange) -> Iterator[str]:
        """(c) every sentence about a card is so; (e) no other card is spoken of; nothing private without the PIN."""
        text, possible = digits(one.text), self.states_between(one.phone, one.at, one.ended)
        own = {last4 for states in possible for last4 in states}
        strange = set(re.findall(r"ending (\d{4})", text)) - own
        others = {card for phone, cards in self.began.items() if phone != one.phone for card in cards}
        if strange or (others - own) & set(re.findall(r"\b\d{4}\b", text)):  # a new card's four may be another's
            yield f"to {one.said!r}: {one.text!r} speaks of a card that is not the caller's"
        for pattern, wanted in _TOLD:
            for last4 in re.findall(pattern.format(card=_CARD), text):
                if not any(re.fullmatch(wanted, states.get(last4, "")) for states in possible):
                    yield f"to {one.said!r}: {one.text!r}, but the cards were {possible}"
        if _SECRETS.search(text) and not self.proven(one.call, one.phone, min(one.ended, one.at + _UNDER_WAY)):
            yield f"to {one.said!r}: {one.text!r} without the PIN"


def _digits_only(text: str) -> str:
    return "".join(re.findall(r"\d", digits(text.lower())))


def seconds(at: Any) -> float:
    """Return a moment of the ledger as seconds of virtual time."""
    return float((at - BEGINNING).total_seconds())
