"""A second implementation of the protocol: the cards are a bank's own system's, which is slow and fails now and then.

Wishes and proofs are kept here (in memory; a real adapter keeps them in a database of its own). What it shows is the
one thing that differs: a write is two steps. The wish is `committing` before the bank is called; the call carries the
wish's id; the record follows. A wish that stayed `committing` is finished, with the same id, before it is told of.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from teller.cards.ledger import CardView, NotProvenError, OutcomeUnknownError
from teller.cards.policy import POLICY, fits, is_so_already, next_state
from teller.cards.records import (
    Card,
    CardRecord,
    Clause,
    Holder,
    Operation,
    PinVerdict,
    Proof,
    Purchase,
    Wish,
    WishState,
)

UNDER_WAY = (WishState.OPEN, WishState.SETTLING, WishState.COMMITTING)


class BankUnavailableError(Exception):
    """The bank's system did not answer: it may have done what it was asked, or not."""


@dataclass
class CardSystem:
    """The bank's. Each request has an id; one that it knows is not done again, and gets the answer of the first time.

    `faults` come one a request: "late", "fails" (nothing done), "silent" (done, but the answer is lost).
    """

    holders: dict[str, Holder]
    pins: dict[str, str]
    faults: list[str] = field(default_factory=list)
    answers: dict[str, tuple[Card, bool] | None] = field(default_factory=dict)
    changes: int = 0

    async def change(self, request_id: str, phone: str, token: str, version: int, operation: Operation) -> Card | None:
        """Do it, and return the card as it is then; None if the version is another by now."""
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "late":
            await asyncio.sleep(0.05)
        if fault == "fails":
            raise BankUnavailableError
        if request_id not in self.answers:
            self.answers[request_id] = self._change(phone, token, version, operation)
        if fault == "silent":
            raise BankUnavailableError
        answer = self.answers[request_id]
        return answer[0] if answer else None

    def changed(self, request_id: str) -> bool:
        answer = self.answers.get(request_id)
        return bool(answer and answer[1])

    def _change(self, phone: str, token: str, version: int, operation: Operation) -> tuple[Card, bool] | None:
        holder = self.holders[phone]
        card = holder.card(token)
        if card is None or card.version != version:
            return None
        if is_so_already(operation, card):
            return card, False
        if not fits(operation, card):
            raise ValueError(f"{operation} does not write, or not to a card that is {card.state}")
        moved = replace(card, state=next_state(operation, card.state) or card.state, version=version + 1)
        own = tuple(moved if one.token == token else one for one in holder.cards)
        self.holders[phone] = replace(holder, cards=own)
        self.changes += 1
        return moved, True


class BankLedger:
    """The adapter. Its `Ledger` methods promise what the protocol says."""

    _TRIES = 3

    def __init__(self, system: CardSystem, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.system = system
        self.clock = clock
        self.wishes: dict[str, Wish] = {}
        self.asked_of: dict[str, Card] = {}
        self.proofs: dict[tuple[str, str], Proof] = {}
        self.refusals: list[str] = []

    def now(self) -> datetime:
        return self.clock()

    async def view(self, phone: str, conversation: str | None) -> CardView:
        for wish in list(self.wishes.values()):
            if wish.state is WishState.COMMITTING and wish.conversation == conversation:
                await self._finish(wish)  # nothing is told before it is over
        now = self.clock()
        mine = [wish for wish in self.wishes.values() if (wish.conversation, wish.phone) == (conversation, phone)]
        alive = tuple(wish for wish in reversed(mine) if wish.expires_at > now)
        return CardView(self.system.holders.get(phone), alive, self._proof(conversation or "", phone))

    async def purchases(self, conversation: str, phone: str, card: Card) -> tuple[Purchase, ...]:
        if self._proof(conversation, phone) is None:
            raise NotProvenError("payments need the caller's PIN")
        return ()

    async def ask(self, conversation: str, phone: str, operation: Operation, card: Card | None, clause: Clause) -> Wish:
        await self.end_conversation(conversation)
        wish = self._new(conversation, phone, operation, card, clause)
        return self._keep(wish)

    async def note_request(self, wish_id: str, requested_at: datetime) -> bool:
        wish = self.wishes.get(wish_id)
        if wish is None or (wish.newest_request and requested_at < wish.newest_request):
            return False
        self._keep(replace(wish, newest_request=requested_at))
        return True

    async def settle(
        self,
        wish_id: str,
        answer_hash: str,
        requested_at: datetime | None = None,
        wait: timedelta = timedelta(0),
    ) -> datetime | None:
        wish, now = self.wishes.get(wish_id), self.clock()
        if wish is None or wish.state not in UNDER_WAY[:2] or wish.expires_at <= now:
            return None
        if not await self.note_request(wish_id, requested_at or now):
            return None
        joins = wish.state is WishState.SETTLING and wish.answer_hash == answer_hash
        until = wish.settles_at if joins and wish.settles_at else now + wait
        wish = self.wishes[wish_id]
        self._keep(replace(wish, state=WishState.SETTLING, answer_hash=answer_hash, settles_at=until))
        return until

    async def reopen(self, wish_id: str, answer_hash: str) -> bool:
        wish = self.wishes.get(wish_id)
        if wish is None or wish.state is not WishState.SETTLING or wish.answer_hash != answer_hash:
            return False
        self._keep(replace(wish, state=WishState.OPEN, answer_hash=None, settles_at=None))
        return True

    async def commit(self, wish_id: str, answer_hash: str, card: Card) -> CardRecord | None:
        wish = self.wishes.get(wish_id)
        if wish is None or wish.state is WishState.DONE:
            return wish.record if wish else None
        if wish.state is WishState.SETTLING:
            if wish.answer_hash != answer_hash:
                return None
            self._require_proof(wish)
            self.asked_of[wish.id] = card
            wish = self._keep(replace(wish, state=WishState.COMMITTING))
        return await self._finish(wish) if wish.state is WishState.COMMITTING else None

    async def commit_direct(self, conversation: str, phone: str, operation: Operation, card: Card) -> CardRecord | None:
        if POLICY[operation].chat == "yes":
            raise ValueError(f"{operation} asks before it writes")
        wish = self._new(conversation, phone, operation, card, None)
        self.asked_of[wish.id] = card
        return await self._finish(self._keep(replace(wish, state=WishState.COMMITTING)))

    async def undo(self, wish_id: str) -> CardRecord | None:
        return None  # this bank takes nothing back without a PIN

    async def drop(self, wish_id: str) -> None:
        wish = self.wishes.get(wish_id)
        if wish and wish.state in UNDER_WAY[:2]:
            self._keep(replace(wish, state=WishState.DROPPED))

    async def end_conversation(self, conversation: str) -> None:
        for wish in list(self.wishes.values()):
            if wish.conversation == conversation and wish.state is WishState.OPEN:
                await self.drop(wish.id)

    def fingerprint(self, words: str) -> str:
        return hashlib.blake2b(words.encode(), key=b"the adapter's own", digest_size=32).hexdigest()

    async def prove(
        self, conversation: str, phone: str, pin: str, turn_hash: str, wish_id: str | None = None
    ) -> PinVerdict:
        if self.system.pins.get(phone) != pin:
            return "wrong"
        self.proofs[conversation, phone] = Proof(turn_hash, self.clock() + timedelta(minutes=10))
        return "right"

    async def refuse(self, phone: str | None, operation: Operation | None, reason: str) -> None:
        self.refusals.append(reason)

    async def ready(self) -> None:
        return None

    async def close(self) -> None:
        return None

    async def _finish(self, wish: Wish) -> CardRecord | None:
        """Ask the bank until it answers, always with the wish's id; then write the record."""
        card = self.asked_of[wish.id]
        for _ in range(self._TRIES):
            try:
                now = await self.system.change(wish.id, wish.phone, card.token, card.version, wish.operation)
            except BankUnavailableError:
                continue
            if now is None:
                self._keep(replace(wish, state=WishState.DROPPED))
                return None
            record = CardRecord(wish.id, wish.operation, now, self.system.changed(wish.id), self.clock())
            expires = self.clock() + timedelta(minutes=10)
            self._keep(replace(wish, state=WishState.DONE, record=record, expires_at=expires))
            return record
        raise OutcomeUnknownError("the bank's card system does not answer")

    def _require_proof(self, wish: Wish) -> None:
        if POLICY[wish.operation].proof == "pin" and self._proof(wish.conversation, wish.phone) is None:
            raise NotProvenError(f"{wish.operation} needs the caller's PIN")

    def _proof(self, conversation: str, phone: str) -> Proof | None:
        proof = self.proofs.get((conversation, phone))
        return proof if proof and proof.expires_at > self.clock() else None

    def _new(
        self, conversation: str, phone: str, operation: Operation, card: Card | None, clause: Clause | None
    ) -> Wish:
        return Wish(
            uuid4().hex,
            conversation,
            phone,
            operation,
            card.token if card else None,
            card.version if card else None,
            (replace(clause, asked_at=self.clock()),) if clause else (),
            WishState.OPEN,
            None,
            None,
            self.clock() + timedelta(minutes=10),
        )

    def _keep(self, wish: Wish) -> Wish:
        self.wishes[wish.id] = wish
        return wish
