"""The life of a wish up to its commit, each step one transaction: asked, settled, or dropped."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import insert, select, update

from teller.cards.records import Card, Clause, Operation, Wish, WishState
from teller.cards.rows import WISH, values
from teller.cards.schema import pending
from teller.cards.transaction import Write

LIFETIME = timedelta(minutes=10)
"""How long a wish lives after its last question, and its outcome after the commit."""

_CLAUSES = 8
_UNDER_WAY = (WishState.OPEN, WishState.SETTLING)


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
    if wish is None:
        wish = new_wish(write, conversation, phone, operation, card)
        wish = replace(wish, clauses=(asked,))
        await write.connection.execute(insert(pending), values(wish) | {"opened_at": write.at})
    else:
        wish = _asked_again(wish, write, card, asked)
        await write.connection.execute(update(pending).where(pending.c.id == wish.id), values(wish))
    await write.audit("asked", phone=phone, wish_id=wish.id, operation=operation, kind=clause.kind, last4=_last4(card))
    return wish


async def settle(write: Write, wish_id: str, answer_hash: str) -> bool:
    """Note the answer of an open wish that has not expired; False if it is not that."""
    wish = await find(write, wish_id)
    if wish is None or wish.state is not WishState.OPEN or wish.expires_at <= write.at:
        return False
    change = {"state": WishState.SETTLING, "answer_hash": answer_hash}
    await write.connection.execute(update(pending).where(pending.c.id == wish_id), change)
    await write.audit("settled", phone=wish.phone, wish_id=wish_id, operation=wish.operation)
    return True


async def drop(write: Write, wish_id: str) -> None:
    """Give up a wish whose commit has not begun, be it open or settling."""
    wish = await find(write, wish_id)
    if wish is not None and wish.state in _UNDER_WAY:
        await _end(write, wish)


async def end_conversation(write: Write, conversation: str) -> None:
    """Drop the wish that is open in a conversation; one that is settling goes on."""
    wish = await _under_way(write, conversation)
    if wish is not None and wish.state is WishState.OPEN:
        await _end(write, wish)


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
    query = select(*WISH).where(pending.c.conversation == conversation, pending.c.state.in_(_UNDER_WAY))
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
        expires_at=write.at + LIFETIME,
    )


async def _end(write: Write, wish: Wish) -> None:
    await write.connection.execute(update(pending).where(pending.c.id == wish.id), {"state": WishState.DROPPED})
    await write.audit("dropped", phone=wish.phone, wish_id=wish.id, operation=wish.operation)


def _last4(card: Card | None) -> str | None:
    return card.last4 if card else None
