"""The ledger as simply as it can be said: dictionaries, no database, nothing at the same time."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from teller.cards.ledger import NotProvenError, TooManyOrdersError
from teller.cards.policy import POLICY, TRANSITIONS
from teller.cards.records import Card, CardRecord, CardState, Operation, PinVerdict, Purchase, WishState

UNDER_WAY = (WishState.OPEN, WishState.SETTLING)
TEN_MINUTES, DAY = timedelta(minutes=10), timedelta(days=1)


@dataclass
class ModelWish:
    conversation: str
    phone: str
    operation: Operation
    card: Card | None
    opened: datetime
    expires: datetime
    named: set[str] = field(default_factory=set)
    state: WishState = WishState.OPEN
    answer: str | None = None
    newest: datetime | None = None
    settles: datetime | None = None
    record: CardRecord | None = None

    def seen(self, now: datetime) -> tuple[WishState, str | None]:
        if self.lapsed(now):
            return WishState.OPEN, None
        return self.state, self.answer

    def lapsed(self, now: datetime) -> bool:
        if self.state is not WishState.SETTLING or self.settles is None:
            return False
        return now >= self.settles + timedelta(seconds=2)


@dataclass
class Pins:
    pin: str
    wrong: dict[str, datetime] = field(default_factory=dict)
    counted: set[str] = field(default_factory=set)
    locked_until: datetime | None = None
    locks: int = 0

    def locked(self, now: datetime) -> bool:
        return self.locked_until is not None and now < self.locked_until


class Model:
    """What the ledger should do. New rows get the names that the ledger gave them."""

    def __init__(self, cards: dict[str, list[Card]], pins: dict[str, str]) -> None:
        self.cards = {phone: {card.token: card for card in own} for phone, own in cards.items()}
        self.pins = {phone: Pins(pin) for phone, pin in pins.items()}
        self.wishes: dict[str, ModelWish] = {}
        self.proofs: dict[tuple[str, str], datetime] = {}
        self.writes = dict.fromkeys(cards, 0)
        self.ordered: dict[str, list[datetime]] = {phone: [] for phone in cards}

    def ask(
        self, now: datetime, wish_id: str, conversation: str, phone: str, operation: Operation, card: Card | None
    ) -> None:
        for other, wish in self.wishes.items():
            if wish.conversation == conversation and wish.state in UNDER_WAY and other != wish_id:
                wish.state = WishState.DROPPED
        for key in [key for key in self.proofs if key[0] == conversation and key[1] != phone]:
            del self.proofs[key]
        if wish_id not in self.wishes:
            self.wishes[wish_id] = ModelWish(conversation, phone, operation, None, now, now)
        wish = self.wishes[wish_id]
        wish.card, wish.expires = card, now + TEN_MINUTES
        wish.state, wish.answer, wish.settles = WishState.OPEN, None, None
        if card:
            wish.named.add(card.token)

    def goes_on(self, now: datetime, conversation: str, phone: str, operation: Operation, card: Card | None) -> str:
        """The wish that a question would be added to, or nothing."""
        for wish_id, wish in self.wishes.items():
            if wish.conversation != conversation or wish.state not in UNDER_WAY or wish.expires <= now:
                continue
            same_card = not wish.card or not card or wish.card.token == card.token
            if (wish.phone, wish.operation, same_card) == (phone, operation, True):
                return wish_id
        return ""

    def settle(self, now: datetime, wish_id: str, answer: str, requested: datetime, wait: timedelta) -> datetime | None:
        wish = self.wishes.get(wish_id)
        if not wish or wish.state not in UNDER_WAY or wish.expires <= now:
            return None
        if wish.newest and requested < wish.newest:
            return None
        if not (wish.state is WishState.SETTLING and wish.answer == answer and not wish.lapsed(now)):
            wish.settles = now + wait
        wish.state, wish.answer, wish.newest = WishState.SETTLING, answer, requested
        return wish.settles

    def reopen(self, wish_id: str, answer: str) -> bool:
        wish = self.wishes.get(wish_id)
        if not wish or wish.state is not WishState.SETTLING or wish.answer != answer:
            return False
        wish.state, wish.answer, wish.settles = WishState.OPEN, None, None
        return True

    def drop(self, wish_id: str) -> None:
        wish = self.wishes.get(wish_id)
        if wish and wish.state in UNDER_WAY:
            wish.state = WishState.DROPPED

    def end(self, conversation: str) -> None:
        for wish in self.wishes.values():
            goes_on = wish.state is WishState.SETTLING and wish.operation is Operation.BLOCK
            if wish.conversation == conversation and wish.state in UNDER_WAY and not goes_on:
                wish.state = WishState.DROPPED
        for key in [key for key in self.proofs if key[0] == conversation]:
            del self.proofs[key]

    def commit(self, now: datetime, wish_id: str, answer: str, card: Card, got: CardRecord | None) -> CardRecord | None:
        wish = self.wishes.get(wish_id)
        if not wish:
            return None
        if wish.state is WishState.DONE:
            return wish.record
        if wish.state is not WishState.SETTLING or wish.answer != answer:
            return None
        late = wish.settles is not None and now > wish.settles + timedelta(minutes=1)
        about = (card.token, card.version) == (wish.card.token, wish.card.version) if wish.card else True
        if POLICY[wish.operation].chat == "yes":
            about = about and wish.card is not None and card.token in wish.named
        if not about or late or (record := self._carry_out(now, wish_id, wish, card, got)) is None:
            return None
        wish.state, wish.record, wish.expires = WishState.DONE, record, now + TEN_MINUTES
        return record

    def direct(
        self, now: datetime, conversation: str, phone: str, operation: Operation, card: Card, got: CardRecord | None
    ) -> CardRecord | None:
        if POLICY[operation].chat == "yes":
            raise ValueError
        wish = ModelWish(conversation, phone, operation, card, now, now + TEN_MINUTES, state=WishState.DONE)
        wish_id = got.wish_id if got else ""
        wish.record = self._carry_out(now, wish_id, wish, card, got)
        if wish.record:
            self.wishes[wish_id] = wish
        return wish.record

    def disclose(
        self, now: datetime, conversation: str, phone: str, card: Card, payments: tuple[Purchase, ...]
    ) -> tuple[Purchase, ...]:
        if card.token not in self.cards[phone]:
            return ()
        if self.proofs.get((conversation, phone), now) <= now:
            raise NotProvenError
        return payments

    def undo(self, now: datetime, wish_id: str, got: CardRecord | None) -> CardRecord | None:
        wish = self.wishes.get(wish_id)
        if not wish or wish.operation is not Operation.BLOCK or not wish.record or not wish.record.changed:
            return None
        for earlier in self.wishes.values():
            if earlier.record and earlier.named == {f"undo {wish_id}"}:
                return earlier.record
        done = wish.record
        present = self.cards[wish.phone].get(done.card.token)
        if present is None or present.version != done.card.version or now > done.at + timedelta(minutes=2):
            return None
        restored = replace(present, state=CardState.ACTIVE, version=present.version + 1)
        self.cards[wish.phone][restored.token] = restored
        self.writes[wish.phone] += 1
        undo_id = got.wish_id if got else ""
        record = CardRecord(undo_id, Operation.UNBLOCK, restored, True, now)
        self.wishes[undo_id] = ModelWish(
            wish.conversation,
            wish.phone,
            Operation.UNBLOCK,
            present,
            now,
            now + TEN_MINUTES,
            {f"undo {wish_id}"},
            WishState.DONE,
            record=record,
        )
        return record

    def prove(self, now: datetime, conversation: str, phone: str, pin: str) -> PinVerdict:
        pins = self.pins[phone]
        if pins.locked(now):
            return "locked"
        if pin == pins.pin:
            self.pins[phone] = Pins(pin)
            self.proofs[conversation, phone] = now + TEN_MINUTES
            return "right"
        pins.wrong = {value: at for value, at in pins.wrong.items() if at > now - DAY}
        pins.counted &= pins.wrong.keys()
        if pin in pins.wrong:
            return "wrong"
        pins.wrong[pin] = now
        pins.counted.add(pin)
        if len(pins.counted) < 3:
            return "wrong"
        pins.counted.clear()
        pins.locks = pins.locks + 1 if pins.locked_until and pins.locked_until > now - DAY else 1
        pins.locked_until = now + min(timedelta(minutes=15) * 2 ** (pins.locks - 1), DAY)
        return "locked"

    def _carry_out(
        self, now: datetime, wish_id: str, wish: ModelWish, card: Card, got: CardRecord | None
    ) -> CardRecord | None:
        own = self.cards[wish.phone]
        found = own.get(card.token)
        if found is None or found.version != card.version:
            return None
        after = TRANSITIONS.get(wish.operation, {})
        changes = found.state in after and not (wish.operation is Operation.REPLACE and found.replacement)
        if not changes and found.state not in after.values():
            raise ValueError
        if POLICY[wish.operation].proof == "pin" and self.proofs.get((wish.conversation, wish.phone), now) <= now:
            raise NotProvenError
        if not changes:
            return CardRecord(wish_id, wish.operation, found, False, now, own.get(found.replacement or ""))
        orders = wish.operation in (Operation.REPORT_LOST, Operation.REPLACE) and not found.replacement
        if orders:
            lately = [at for at in self.ordered[wish.phone] if at > now - DAY]
            if len(lately) >= 5:
                wish.state = WishState.DROPPED
                raise TooManyOrdersError
            self.ordered[wish.phone] = [*lately, now]
        moved, other = self._change(wish, found, after[found.state], got)
        return CardRecord(wish_id, wish.operation, moved, True, now, other)

    def _change(
        self, wish: ModelWish, found: Card, after: CardState, got: CardRecord | None
    ) -> tuple[Card, Card | None]:
        own = self.cards[wish.phone]
        self.writes[wish.phone] += 1
        other = None
        if wish.operation in (Operation.REPORT_LOST, Operation.REPLACE):
            other = own.get(found.replacement or "") or self._ordered(wish.phone, found, got)
        moved = replace(found, state=after, version=found.version + 1)
        if other:
            moved = replace(moved, replacement=other.token)
        own[moved.token] = moved
        if wish.operation is Operation.REPORT_LOST and other:
            for waiting in [one for one in own.values() if self._waits_for(one, moved)]:
                own[waiting.token] = replace(waiting, version=waiting.version + 1, replacement=other.token)
            moved, other = self._hand_over(own, moved, other)
        if wish.operation is Operation.ACTIVATE:
            for old in [one for one in own.values() if self._waits_for(one, moved)]:
                closed = replace(old, state=CardState.CLOSED, version=old.version + 1)
                other, moved = self._hand_over(own, closed, moved)
        return moved, other

    @staticmethod
    def _waits_for(old: Card, new: Card) -> bool:
        return old.replacement == new.token and old.state is not CardState.CLOSED

    def _ordered(self, phone: str, old: Card, got: CardRecord | None) -> Card:
        assert got is not None
        assert got.other is not None
        assert got.other.last4 not in {card.last4 for card in self.cards[phone].values()}
        new = replace(
            old,
            token=got.other.token,
            last4=got.other.last4,
            state=CardState.INACTIVE,
            version=1,
            balance=Decimal("0.00"),
            due_date=None,
            replacement=None,
        )
        self.cards[phone][new.token] = new
        return new

    @staticmethod
    def _hand_over(own: dict[str, Card], old: Card, new: Card) -> tuple[Card, Card]:
        taken = replace(
            new, version=new.version + 1, balance=new.balance + old.balance, due_date=new.due_date or old.due_date
        )
        closed = replace(old, balance=Decimal("0.00"), due_date=None, replacement=new.token)
        own[taken.token], own[closed.token] = taken, closed
        return closed, taken
