"""The life of a wish up to its commit, each step one transaction: asked, settled, opened again, or dropped."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import delete, insert, or_, select, update

from teller.cards.forgetting import forget_old
from teller.cards.records import UNDER_WAY, Card, Clause, Operation, Wish, WishState
from teller.cards.rows import WISH, has_lapsed, values
from teller.cards.schema import pending, proof
from teller.cards.transaction import Write

LIFETIME = timedelta(minutes=10)
"""How long a wish lives after its last question, and its outcome after the commit."""

_CLAUSES = 8
_OPEN_AGAIN = {"state": WishState.OPEN, "answer_hash": None, "settles_at": None}


async def ask(
    write: Write, conversation: str, phone: str, operation: Operation, card: Card | None, clause: Clause
) -> Wish:
    """Add the clause to the conversation's wish under way, or open a new one; see `Ledger.ask`.

    A settling wish is opened again by it, for who asks has not understood the answer as a yes.
    """
    asked = replace(clause, asked_at=write.at)
    wish = await _under_way(write, conversation)
    if wish is not None and not _goes_on(wish, write, phone, operation, card):
        await _end(write, wish)
        wish = None
    await _forget_other_callers(write, conversation, phone)
    if wish is None:
        await forget_old(write)
        wish = new_wish(write, conversation, phone, operation, card)
        wish = replace(wish, clauses=(asked,))
        await write.connection.execute(insert(pending), values(wish) | {"opened_at": write.at})
    else:
        wish = _asked_again(wish, write, card, asked)
        await write.connection.execute(update(pending).where(pending.c.id == wish.id), values(wish))
    await write.audit("asked", phone=phone, wish_id=wish.id, operation=operation, kind=clause.kind, last4=_last4(card))
    return wish


async def note_request(write: Write, wish_id: str, requested_at: datetime) -> bool:
    """Raise a wish's newest request; see `Ledger.note_request`. No audit row: it changes nothing that is told."""
    not_older = or_(pending.c.newest_request.is_(None), pending.c.newest_request <= requested_at)
    raised = update(pending).where(pending.c.id == wish_id, not_older).values(newest_request=requested_at)
    return (await write.connection.execute(raised)).rowcount == 1


async def settle(
    write: Write, wish_id: str, answer_hash: str, requested_at: datetime | None, wait: timedelta
) -> datetime | None:
    """Note the answer of a wish under way that has not expired; see `Ledger.settle`."""
    wish = await find(write, wish_id)
    requested_at = requested_at or write.at
    if wish is None or wish.state not in UNDER_WAY or wish.expires_at <= write.at:
        return None
    if wish.newest_request and requested_at < wish.newest_request:
        return None
    joins = wish.state is WishState.SETTLING and wish.answer_hash == answer_hash and not has_lapsed(wish, write.at)
    settles_at = wish.settles_at if joins and wish.settles_at else write.at + wait
    change = {
        "state": WishState.SETTLING,
        "answer_hash": answer_hash,
        "settles_at": settles_at,
        "newest_request": requested_at,
    }
    await write.connection.execute(update(pending).where(pending.c.id == wish_id), change)
    if not joins:
        await write.audit("settled", phone=wish.phone, wish_id=wish_id, operation=wish.operation)
    return settles_at


async def reopen(write: Write, wish_id: str, answer_hash: str) -> bool:
    """Open a wish again that settles with these words; see `Ledger.reopen`."""
    wish = await find(write, wish_id)
    if wish is None or wish.state is not WishState.SETTLING or wish.answer_hash != answer_hash:
        return False
    await write.connection.execute(update(pending).where(pending.c.id == wish_id), _OPEN_AGAIN)
    await write.audit("reopened", phone=wish.phone, wish_id=wish_id, operation=wish.operation)
    return True


async def drop(write: Write, wish_id: str) -> None:
    """Give up a wish whose commit has not begun, be it open or settling."""
    wish = await find(write, wish_id)
    if wish is not None and wish.state in UNDER_WAY:
        await _end(write, wish)


async def refuse(write: Write, wish_id: str, reason: str, *, final: bool) -> None:
    """Note that a wish was not done, for a reason in our own words; one that never will be is given up."""
    wish = await find(write, wish_id)
    if wish is not None:
        await write.audit("refused", phone=wish.phone, wish_id=wish_id, operation=wish.operation, reason=reason)
        if final and wish.state in UNDER_WAY:
            await _end(write, wish)


async def end_conversation(write: Write, conversation: str) -> None:
    """Drop the wish that is under way in a conversation, and its proofs; a block that is settling goes on.

    Whatever else settles would be open again once its request is found to be gone, and a yes that is sent again after
    the call would do it.
    """
    wish = await _under_way(write, conversation)
    if wish is not None and not (wish.state is WishState.SETTLING and wish.operation is Operation.BLOCK):
        await _end(write, wish)
    await write.connection.execute(delete(proof).where(proof.c.conversation == conversation))


async def find(write: Write, wish_id: str) -> Wish | None:
    """Return the wish of that id, locked against other writers (where the whole ledger is not)."""
    row = (await write.connection.execute(select(*WISH).where(pending.c.id == wish_id).with_for_update())).one_or_none()
    return None if row is None else Wish(*row)


def new_wish(write: Write, conversation: str, phone: str, operation: Operation, card: Card | None) -> Wish:
    """Return a wish that begins now, with a new id and no clause."""
    return Wish(
        id=uuid4().hex,
        conversation=conversation,
        phone=phone,
        operation=operation,
        card_token=card.token if card else None,
        card_version=card.version if card else None,
        clauses=(),
        state=WishState.OPEN,
        answer_hash=None,
        record=None,
        expires_at=write.at + LIFETIME,
    )


async def _under_way(write: Write, conversation: str) -> Wish | None:
    query = select(*WISH).where(pending.c.conversation == conversation, pending.c.state.in_(UNDER_WAY))
    row = (await write.connection.execute(query.with_for_update())).one_or_none()
    return None if row is None else Wish(*row)


def _goes_on(wish: Wish, write: Write, phone: str, operation: Operation, card: Card | None) -> bool:
    same_card = wish.card_token is None or card is None or wish.card_token == card.token
    return same_card and (wish.phone, wish.operation) == (phone, operation) and wish.expires_at > write.at


def _asked_again(wish: Wish, write: Write, card: Card | None, asked: Clause) -> Wish:
    others = tuple(clause for clause in wish.clauses if replace(clause, asked_at=asked.asked_at) != asked)
    return replace(
        wish,
        card_token=card.token if card else None,
        card_version=card.version if card else None,
        clauses=(*others, asked)[-_CLAUSES:],
        state=WishState.OPEN,
        answer_hash=None,
        settles_at=None,
        expires_at=write.at + LIFETIME,
    )


async def _forget_other_callers(write: Write, conversation: str, phone: str) -> None:
    others = delete(proof).where(proof.c.conversation == conversation, proof.c.phone != phone)
    await write.connection.execute(others)


async def _end(write: Write, wish: Wish) -> None:
    await write.connection.execute(update(pending).where(pending.c.id == wish.id), {"state": WishState.DROPPED})
    await write.audit("dropped", phone=wish.phone, wish_id=wish.id, operation=wish.operation)


def _last4(card: Card | None) -> str | None:
    return card.last4 if card else None
