"""A second implementation of the protocol: the cards are a bank's own system's, which is slow and fails now and then.

Wishes and proofs are kept in `Desk`, which replicas share (a real adapter keeps them in a database of its own). What it
shows is the one thing that differs: a write is two steps. The wish is `committing` before the bank is called; the call
carries the wish's id; the record follows. A wish that stayed `committing` is finished, with the same id, by whoever
comes next, before anything is told of it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import uuid4

from teller.cards.forgetting import ROWS_LIVE
from teller.cards.ledger import CardView, NotProvenError, OutcomeUnknownError
from teller.cards.policy import POLICY
from teller.cards.records import (
    UNDER_WAY,
    Card,
    CardRecord,
    Clause,
    Operation,
    PinVerdict,
    Proof,
    Purchase,
    Wish,
    WishState,
)
from teller.cards.rows import has_lapsed
from tests.cards.bank_system import BankUnavailableError, CardSystem

LIFETIME = timedelta(minutes=10)
TRIES = 3


@dataclass
class Desk:
    """The adapter's own tables. `asked_of`: the card of a wish that is `committing`, as it is to be changed."""

    wishes: dict[str, Wish] = field(default_factory=dict)
    asked_of: dict[str, Card] = field(default_factory=dict)
    proofs: dict[tuple[str, str], Proof] = field(default_factory=dict)
    audit: list[str] = field(default_factory=list)


class BankLedger:
    """The adapter. Its `Ledger` methods promise what the protocol says; this bank takes no block back without a PIN."""

    def __init__(self, system: CardSystem, desk: Desk | None = None) -> None:
        self.system = system
        self.desk = desk or Desk()

    async def forget_old(self) -> None:
        for wish in list(self.desk.wishes.values()):
            if wish.state is not WishState.COMMITTING and wish.expires_at < self._now() - ROWS_LIVE:
                del self.desk.wishes[wish.id]

    def now(self) -> datetime:
        return self.system.clock()

    async def view(self, phone: str, conversation: str | None) -> CardView:
        for wish in self._of(conversation, WishState.COMMITTING):
            await self._finish(wish)  # nothing is told before it is over
        mine = [wish for wish in self._of(conversation, *WishState) if wish.phone == phone]
        alive = [self._as_it_counts(wish) for wish in reversed(mine) if wish.expires_at > self._now()]
        others = any(wish.phone != phone for wish in self._of(conversation, *UNDER_WAY)) or any(
            where == conversation and who != phone for where, who in self.desk.proofs
        )
        return CardView(self.system.holders.get(phone), tuple(alive), self._proof(conversation, phone), others)

    async def disclose(self, conversation: str, phone: str, operation: Operation, card: Card) -> tuple[Purchase, ...]:
        if self.system.card(phone, card.token):
            self._require_proof(conversation, phone, operation)
            self.desk.audit.append(f"told {operation}")
        return ()

    async def ask(self, conversation: str, phone: str, operation: Operation, card: Card | None, clause: Clause) -> Wish:
        wish: Wish | None = None
        for wish in self._of(conversation, *UNDER_WAY):
            same_card = wish.card_token is None or card is None or wish.card_token == card.token
            if not same_card or (wish.phone, wish.operation) != (phone, operation) or wish.expires_at <= self._now():
                await self.drop(wish.id)
                wish = None
        for owner in [one for one in self.desk.proofs if one[0] == conversation and one[1] != phone]:
            del self.desk.proofs[owner]
        asked = replace(clause, asked_at=self._now())
        wish = wish or self._new(conversation, phone, operation, card)
        others = tuple(one for one in wish.clauses if replace(one, asked_at=asked.asked_at) != asked)
        token, version = (card.token, card.version) if card else (None, None)
        wish = replace(wish, card_token=token, card_version=version, clauses=(*others, asked)[-8:])
        return self._open(replace(wish, expires_at=self._now() + LIFETIME))

    async def note_request(self, wish_id: str, requested_at: datetime) -> bool:
        wish = self.desk.wishes.get(wish_id)
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
        wish, now = self.desk.wishes.get(wish_id), self._now()
        if wish is None or wish.state not in UNDER_WAY or wish.expires_at <= now:
            return None
        if not await self.note_request(wish_id, requested_at or now):
            return None
        wish = self._as_it_counts(self.desk.wishes[wish_id])
        joins = wish.state is WishState.SETTLING and wish.answer_hash == answer_hash
        until = wish.settles_at if joins and wish.settles_at else now + wait
        self._keep(replace(wish, state=WishState.SETTLING, answer_hash=answer_hash, settles_at=until))
        return until

    async def reopen(self, wish_id: str, answer_hash: str) -> bool:
        wish = self.desk.wishes.get(wish_id)
        if wish is None or wish.state is not WishState.SETTLING or wish.answer_hash != answer_hash:
            return False
        self._open(wish)
        return True

    async def commit(self, wish_id: str, answer_hash: str, card: Card) -> CardRecord | None:
        wish = self.desk.wishes.get(wish_id)
        if wish is None or wish.state is WishState.DONE:
            return wish.record if wish else None
        if wish.state is WishState.SETTLING:
            if wish.answer_hash != answer_hash or not _asked_about(wish, card):
                return None
            self._require_proof(wish.conversation, wish.phone, wish.operation)
            wish = self._commits(wish, card)
        return await self._finish(wish) if wish.state is WishState.COMMITTING else None

    async def commit_direct(self, conversation: str, phone: str, operation: Operation, card: Card) -> CardRecord | None:
        if POLICY[operation].chat == "yes":
            raise ValueError(f"{operation} asks before it writes")
        return await self._finish(self._commits(self._new(conversation, phone, operation, card), card))

    async def undo(self, wish_id: str) -> CardRecord | None:
        return None

    async def drop(self, wish_id: str) -> None:
        wish = self.desk.wishes.get(wish_id)
        if wish and wish.state in UNDER_WAY:
            self._keep(replace(wish, state=WishState.DROPPED))

    async def end_conversation(self, conversation: str) -> None:
        for wish in self._of(conversation, *UNDER_WAY):
            if wish.state is WishState.OPEN or wish.operation is not Operation.BLOCK:
                await self.drop(wish.id)
        for owner in [one for one in self.desk.proofs if one[0] == conversation]:
            del self.desk.proofs[owner]

    def fingerprint(self, words: str) -> str:
        return hashlib.blake2b(words.encode(), key=b"the adapter's own", digest_size=32).hexdigest()

    async def prove(
        self, conversation: str, phone: str, pin: str, turn_hash: str, wish_id: str | None = None
    ) -> PinVerdict:
        verdict = self.system.judge(phone, pin)
        self.desk.audit.append(f"a PIN was {verdict}")
        if verdict == "right":
            self.desk.proofs[conversation, phone] = Proof(turn_hash, self._now() + LIFETIME)
        if wish_id in self.desk.wishes and wish_id:
            self._keep(replace(self.desk.wishes[wish_id], judged=turn_hash))
        return verdict

    async def refuse(self, phone: str | None, operation: Operation | None, reason: str) -> None:
        self.desk.audit.append(f"refused {operation}: {reason}")

    async def ready(self) -> None:
        return None

    async def close(self) -> None:
        return None

    async def _finish(self, wish: Wish) -> CardRecord | None:
        """Ask the bank until it answers, always with the wish's id; then write the record."""
        card = self.desk.asked_of[wish.id]
        for _ in range(TRIES):
            try:
                now = await self.system.change(wish.id, wish.phone, card.token, card.version, wish.operation)
            except BankUnavailableError:
                continue
            except ValueError:
                self._keep(replace(wish, state=WishState.DROPPED))
                raise
            if now is None:
                self._keep(replace(wish, state=WishState.DROPPED))
                return None
            if (earlier := self.desk.wishes[wish.id].record) is not None:
                return earlier  # another replica wrote it while we waited
            record = CardRecord(wish.id, wish.operation, now.card, now.changed, self._now(), now.other)
            self._keep(replace(wish, state=WishState.DONE, record=record, expires_at=self._now() + LIFETIME))
            return record
        raise OutcomeUnknownError("the bank's card system does not answer")

    def _commits(self, wish: Wish, card: Card) -> Wish:
        self.desk.asked_of[wish.id] = card
        return self._keep(replace(wish, state=WishState.COMMITTING))

    def _require_proof(self, conversation: str, phone: str, operation: Operation) -> None:
        if POLICY[operation].proof == "pin" and self._proof(conversation, phone) is None:
            self.desk.audit.append(f"refused {operation}: no PIN")
            raise NotProvenError(f"{operation} needs the caller's PIN")

    def _proof(self, conversation: str | None, phone: str) -> Proof | None:
        proof = self.desk.proofs.get((conversation or "", phone))
        return proof if proof and proof.expires_at > self._now() else None

    def _of(self, conversation: str | None, *states: WishState) -> Iterator[Wish]:
        yield from [
            wish for wish in self.desk.wishes.values() if wish.conversation == conversation and wish.state in states
        ]

    def _as_it_counts(self, wish: Wish) -> Wish:
        if not has_lapsed(wish, self._now()):
            return wish
        return replace(wish, state=WishState.OPEN, answer_hash=None, settles_at=None)

    def _new(self, conversation: str, phone: str, operation: Operation, card: Card | None) -> Wish:
        token, version = (card.token, card.version) if card else (None, None)
        expires = self._now() + LIFETIME
        state = WishState.OPEN
        return Wish(uuid4().hex, conversation, phone, operation, token, version, (), state, None, None, expires)

    def _open(self, wish: Wish) -> Wish:
        return self._keep(replace(wish, state=WishState.OPEN, answer_hash=None, settles_at=None))

    def _keep(self, wish: Wish) -> Wish:
        self.desk.wishes[wish.id] = wish
        return wish

    def _now(self) -> datetime:
        return self.system.clock()


def _asked_about(wish: Wish, card: Card) -> bool:
    same = (wish.card_token, wish.card_version) == (card.token, card.version)
    if POLICY[wish.operation].chat == "yes":
        return same and any(clause.kind == "confirm" and clause.card_token == card.token for clause in wish.clauses)
    return same or wish.card_token is None
