"""The ways to change a card: a wish that was asked and answered, one that needs no question, and taking a block back.

Cards, wish, audit row and record stand or fall together: each function runs in one transaction.
"""

import hashlib
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import exists, insert, select, update

from teller.cards import orders
from teller.cards.ledger import NotProvenError
from teller.cards.policy import POLICY, fits, is_so_already, next_state
from teller.cards.records import Card, CardRecord, CardState, Operation, Wish, WishState
from teller.cards.rows import CARD, values
from teller.cards.schema import card as cards
from teller.cards.schema import holder, pending, proof
from teller.cards.transaction import Write
from teller.cards.wishes import LIFETIME, find, new_wish

UNDO_WITHIN = timedelta(minutes=2)
"""How long a block can be taken back without a PIN."""

_ANSWER_COUNTS = timedelta(minutes=1)
"""How long after its time an answer can still be acted on: a process that was suspended meanwhile is too late."""


async def commit(write: Write, wish_id: str, answer_hash: str, card: Card) -> CardRecord | None:
    """Do a settling wish, once; see `Ledger.commit`.

    Raises:
        NotProvenError: a proof is needed, and does not hold.
        ValueError: the wish's operation is not lawful for the card as it is.
    """
    wish = await find(write, wish_id)
    if wish is None:
        return None
    if wish.state is WishState.DONE:
        return wish.record
    if wish.state is not WishState.SETTLING or wish.answer_hash != answer_hash or not _asked_about(wish, card):
        return None
    if wish.settles_at and write.at > wish.settles_at + _ANSWER_COUNTS:
        return None
    record = await _carry_out(write, wish, card)
    if record is not None:
        # It lives on from here, so that a repeat of the answer, or a correction of it, finds what was done.
        done = {"state": WishState.DONE, "record": record, "expires_at": write.at + LIFETIME}
        await write.connection.execute(update(pending).where(pending.c.id == wish_id), done)
    return record


async def commit_direct(
    write: Write, conversation: str, phone: str, operation: Operation, card: Card
) -> CardRecord | None:
    """Do a wish without a question and leave its row, done; see `Ledger.commit_direct`.

    Raises:
        ValueError: the operation always asks first, or is not lawful for the card as it is.
    """
    if _always_asks(operation):
        raise ValueError(f"{operation} asks before it writes")
    wish = new_wish(write, conversation, phone, operation, card)
    record = await _carry_out(write, wish, card)
    if record is not None:
        await _leave_done(write, wish, record)
    return record


async def undo(write: Write, wish_id: str) -> CardRecord | None:
    """Take a block back; see `Ledger.undo`. Its row's id follows from the wish, so that there can be one only."""
    wish = await find(write, wish_id)
    if wish is None or wish.operation is not Operation.BLOCK or wish.record is None or not wish.record.changed:
        return None
    undo_id = hashlib.sha256(f"undo {wish.id}".encode()).hexdigest()[:32]
    if earlier := await find(write, undo_id):
        return earlier.record
    blocked = await _current(write, wish.phone, wish.record.card)
    if blocked is None or write.at > wish.record.at + UNDO_WITHIN:
        return None
    restored = replace(blocked, state=CardState.ACTIVE, version=blocked.version + 1)
    await orders.store(write, restored)
    taken_back = replace(new_wish(write, wish.conversation, wish.phone, Operation.UNBLOCK, blocked), id=undo_id)
    record = CardRecord(undo_id, Operation.UNBLOCK, restored, True, write.at)
    await _leave_done(write, taken_back, record)
    await _count(write, wish.phone)
    await _audit(write, taken_back, record, undone=True)
    return record


async def _carry_out(write: Write, wish: Wish, card: Card) -> CardRecord | None:
    """Do what the operation does, count and audit it; None where the caller has no such card in this version."""
    found = await _current(write, wish.phone, card)
    if found is None:
        return None
    changed = fits(wish.operation, found)
    if not changed and not is_so_already(wish.operation, found):
        raise ValueError(f"{wish.operation} does not write, or not to a card that is {found.state}")
    if POLICY[wish.operation].proof == "pin" and not await is_proven(write, wish.conversation, wish.phone):
        raise NotProvenError(f"{wish.operation} needs the caller's PIN")
    if changed:
        found, other = await _change(write, wish, found)
        await _count(write, wish.phone)
    else:
        other = await orders.card_of_token(write, found.replacement)
    record = CardRecord(wish.id, wish.operation, found, changed, write.at, other)
    await _audit(write, wish, record)
    return record


async def _change(write: Write, wish: Wish, card: Card) -> tuple[Card, Card | None]:
    """Return the card as it is now, and the other one that the operation touched."""
    match wish.operation:
        case Operation.REPORT_LOST:
            return await orders.close_lost(write, wish, card)
        case Operation.REPLACE:
            return await orders.order_replacement(write, wish, card)
        case Operation.ACTIVATE:
            return await orders.activate(write, card)
        case operation:
            moved = replace(card, state=next_state(operation, card.state) or card.state, version=card.version + 1)
            await orders.store(write, moved)
            return moved, None


async def is_proven(write: Write, conversation: str, phone: str) -> bool:
    """Return whether the caller's PIN counts in this conversation now."""
    mine = (proof.c.conversation == conversation, proof.c.phone == phone, proof.c.expires_at > write.at)
    return bool(await write.connection.scalar(select(exists().where(*mine))))


def _always_asks(operation: Operation) -> bool:
    return POLICY[operation].chat == "yes"


def _asked_about(wish: Wish, card: Card) -> bool:
    """Return whether the wish is about this card as it was asked about.

    It may be about none yet, where naming the card is answer enough; what always asks needs the card in the question.
    """
    if _always_asks(wish.operation):
        named = any(clause.kind == "confirm" and clause.card_token == card.token for clause in wish.clauses)
        return named and (wish.card_token, wish.card_version) == (card.token, card.version)
    return wish.card_token is None or (wish.card_token, wish.card_version) == (card.token, card.version)


async def _current(write: Write, phone: str, card: Card) -> Card | None:
    """Return the caller's card if it still has the version that was read, locked against other writers."""
    mine = (cards.c.token == card.token, cards.c.version == card.version, cards.c.phone == phone)
    row = (await write.connection.execute(select(*CARD).where(*mine).with_for_update())).one_or_none()
    return None if row is None else Card(*row)


async def _leave_done(write: Write, wish: Wish, record: CardRecord) -> None:
    done = replace(wish, state=WishState.DONE, record=record)
    await write.connection.execute(insert(pending), values(done) | {"opened_at": write.at})


async def _count(write: Write, phone: str) -> None:
    await write.connection.execute(update(holder).where(holder.c.phone == phone).values(writes=holder.c.writes + 1))


async def _audit(write: Write, wish: Wish, record: CardRecord, *, undone: bool = False) -> None:
    other = {"other_last4": record.other.last4, "other_state": record.other.state} if record.other else {}
    await write.audit(
        "undone" if undone else "committed",
        phone=wish.phone,
        wish_id=wish.id,
        operation=wish.operation,
        last4=record.card.last4,
        state=record.card.state,
        version=record.card.version,
        changed=record.changed,
        **other,
    )
