"""New cards in place of old ones: ordered, handed over to, and what closes for them. Parts of one transaction.

An old card knows its `replacement`. When it closes, all that was owed on it and the list of its payments go over to the
new one, so that money is neither lost nor made.
"""

import hashlib
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import func, insert, select, update

from teller.cards.ledger import TooManyOrdersError
from teller.cards.records import Card, CardState, Wish
from teller.cards.rows import CARD, values
from teller.cards.schema import card as cards
from teller.cards.schema import purchase
from teller.cards.transaction import Write

ORDERS_A_DAY = 5
"""So many cards are ordered for a holder in 24 hours. A whole wallet can be lost; but a lost report needs no PIN, and
each could be about the card that the one before had ordered."""

_DAY = timedelta(hours=24)
_LAST4 = 10_000
_NOTHING = Decimal("0.00")


async def close_lost(write: Write, wish: Wish, lost: Card) -> tuple[Card, Card]:
    """Close a lost card and return it with the one in its place: ordered now, or on its way already."""
    new = await card_of_token(write, lost.replacement) or await order(write, wish, lost)
    for waiting in await _open_cards_replaced_by(write, lost):  # the lost card was itself on its way, for this one
        await store(write, replace(waiting, replacement=new.token, version=waiting.version + 1))
    return await _hand_over(write, lost, new)


async def order_replacement(write: Write, wish: Wish, damaged: Card) -> tuple[Card, Card]:
    """Order a card in place of a damaged one, which stays as it is, and return both."""
    new = await order(write, wish, damaged)
    kept = replace(damaged, replacement=new.token, version=damaged.version + 1)
    await store(write, kept)
    return kept, new


async def activate(write: Write, new: Card) -> tuple[Card, Card | None]:
    """Activate a card and close the one that it replaces, if there is one; return both."""
    new = replace(new, state=CardState.ACTIVE, version=new.version + 1)
    await store(write, new)
    closed = None
    for old in await _open_cards_replaced_by(write, new):
        closed, new = await _hand_over(write, old, new)
    return new, closed


async def order(write: Write, wish: Wish, old: Card) -> Card:
    """Write a new card like the old one: inactive, with nothing on it, last four unlike any other of this holder.

    Token and last four follow from the wish, so that one wish can't order two cards.

    Raises:
        TooManyOrdersError: ORDERS_A_DAY were ordered for this holder in the last 24 hours.
    """
    lately = (cards.c.phone == wish.phone, cards.c.ordered_at > write.at - _DAY)
    if (await write.connection.scalar(select(func.count()).where(*lately)) or 0) >= ORDERS_A_DAY:
        raise TooManyOrdersError(f"{ORDERS_A_DAY} cards were ordered in a day")
    query = select(cards.c.last4, cards.c.position).where(cards.c.phone == wish.phone)
    rows = (await write.connection.execute(query)).all()
    new = Card(
        token=hashlib.sha256(f"ordered {wish.id}".encode()).hexdigest()[:32],
        product=old.product,
        network=old.network,
        last4=_free_last4(wish.id, {row.last4 for row in rows}),
        state=CardState.INACTIVE,
        version=1,
        credit_limit=old.credit_limit,
        balance=_NOTHING,
        due_date=None,
    )
    position = max(row.position for row in rows) + 1
    row = values(new) | {"phone": wish.phone, "position": position, "ordered_at": write.at}
    await write.connection.execute(insert(cards), row)
    return new


async def card_of_token(write: Write, token: str | None) -> Card | None:
    """Return the card of that token; None for None."""
    if token is None:
        return None
    row = (await write.connection.execute(select(*CARD).where(cards.c.token == token).with_for_update())).one_or_none()
    return None if row is None else Card(*row)


async def store(write: Write, changed: Card) -> None:
    """Write what may change of a card."""
    change = update(cards).where(cards.c.token == changed.token)
    await write.connection.execute(
        change.values(
            state=changed.state,
            version=changed.version,
            balance=changed.balance,
            due_date=changed.due_date,
            replacement=changed.replacement,
        )
    )


async def _hand_over(write: Write, old: Card, new: Card) -> tuple[Card, Card]:
    """Close the old card, with all that was on it put on the new one."""
    closed = replace(
        old,
        state=CardState.CLOSED,
        version=old.version + 1,
        balance=_NOTHING,
        due_date=None,
        replacement=new.token,
    )
    taken = replace(
        new, version=new.version + 1, balance=new.balance + old.balance, due_date=new.due_date or old.due_date
    )
    await store(write, closed)
    await store(write, taken)
    moved = update(purchase).where(purchase.c.card_token == old.token).values(card_token=new.token)
    await write.connection.execute(moved)
    return closed, taken


async def _open_cards_replaced_by(write: Write, new: Card) -> list[Card]:
    query = select(*CARD).where(cards.c.replacement == new.token, cards.c.state != CardState.CLOSED)
    return [Card(*row) for row in (await write.connection.execute(query.with_for_update())).all()]


def _free_last4(wish_id: str, taken: set[str]) -> str:
    start = int.from_bytes(hashlib.sha256(wish_id.encode()).digest()[:8])
    return next(last4 for step in range(_LAST4) if (last4 := f"{(start + step) % _LAST4:04}") not in taken)
