"""A bank's own card system, as an adapter meets it: idempotent by request id, and slow or silent now and then."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from teller.cards.policy import fits, is_so_already, next_state
from teller.cards.records import Card, CardState, Holder, Operation, PinVerdict

DAY = timedelta(hours=24)


class BankUnavailableError(Exception):
    """The bank's system did not answer: it may have done what it was asked, or not."""


@dataclass(frozen=True)
class Answer:
    """What became of a request: the card now, whether it changed, and the new card or the old one beside it."""

    card: Card
    changed: bool
    other: Card | None = None


@dataclass
class CardSystem:
    """Each request has an id; one that it knows is not done again, and gets the answer of the first time.

    `faults` come one a request: "late", "fails" (nothing done), "silent" (done, but the answer is lost).
    """

    holders: dict[str, Holder]
    pins: dict[str, str]
    clock: Callable[[], datetime]
    faults: list[str] = field(default_factory=list)
    answers: dict[str, Answer | None] = field(default_factory=dict)
    changes: int = 0
    wrong: dict[str, dict[str, datetime]] = field(default_factory=dict)
    locked_until: dict[str, datetime] = field(default_factory=dict)

    async def change(
        self, request_id: str, phone: str, token: str, version: int, operation: Operation
    ) -> Answer | None:
        """Do it, and return what it led to; None if the card has another version by now."""
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "late":
            await asyncio.sleep(0.05)
        if fault == "fails":
            raise BankUnavailableError
        if request_id not in self.answers:
            self.answers[request_id] = self._change(request_id, phone, token, version, operation)
        if fault == "silent":
            raise BankUnavailableError
        return self.answers[request_id]

    def judge(self, phone: str, pin: str) -> PinVerdict:
        """Count wrong values once a day; three lock the number's PIN for fifteen minutes."""
        now = self.clock()
        if self.locked_until.get(phone, now) > now:
            return "locked"
        if self.pins.get(phone) == pin:
            self.wrong.pop(phone, None)
            return "right"
        lately = {value: at for value, at in self.wrong.get(phone, {}).items() if at > now - DAY} | {pin: now}
        self.wrong[phone] = lately
        if len(lately) % 3 or len(lately) == 0:
            return "wrong"
        self.locked_until[phone] = now + timedelta(minutes=15)
        return "locked"

    def card(self, phone: str, token: str | None) -> Card | None:
        holder = self.holders.get(phone)
        return holder.card(token) if holder and token else None

    def _change(self, request_id: str, phone: str, token: str, version: int, operation: Operation) -> Answer | None:
        card = self.card(phone, token)
        if card is None or card.version != version:
            return None
        if is_so_already(operation, card):
            return Answer(card, False, self.card(phone, card.replacement))
        if not fits(operation, card):
            raise ValueError(f"{operation} does not write, or not to a card that is {card.state}")
        self.changes += 1
        moved = replace(card, state=next_state(operation, card.state) or card.state, version=version + 1)
        other: Card | None = None
        if operation in (Operation.REPORT_LOST, Operation.REPLACE):
            other = self.card(phone, card.replacement) or self._ordered(request_id, card)
            moved = replace(moved, replacement=other.token)
        if operation is Operation.ACTIVATE:
            other = next((one for one in self.holders[phone].cards if one.replacement == token), None)
            other = other and replace(other, state=CardState.CLOSED, version=other.version + 1)
        for one in (moved, other):
            if one:
                self._keep(phone, one)
        return Answer(moved, True, other)

    @staticmethod
    def _ordered(request_id: str, old: Card) -> Card:
        token, last4 = f"ordered {request_id}", f"{(int(old.last4) + 1) % 10_000:04}"
        state, nothing = CardState.INACTIVE, Decimal("0.00")
        return replace(old, token=token, last4=last4, state=state, version=1, balance=nothing, due_date=None)

    def _keep(self, phone: str, card: Card) -> None:
        holder = self.holders[phone]
        others = tuple(card if one.token == card.token else one for one in holder.cards)
        self.holders[phone] = replace(holder, cards=others if card in others else (*others, card))
