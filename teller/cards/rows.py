"""Between rows and records: the columns of each record in the order of its fields, and the reads made of them."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Column, Select, String, bindparam, exists, or_, select, true

from teller.cards.audit import AuditEntry, AuditRow
from teller.cards.columns import UtcDateTime
from teller.cards.ledger import CardView
from teller.cards.records import UNDER_WAY, Card, Holder, Proof, Purchase, Wish, WishState
from teller.cards.schema import audit, card, holder, pending, proof, purchase

CARD: list[Column[Any]] = [card.c[field.name] for field in fields(Card)]
WISH: list[Column[Any]] = [pending.c[field.name] for field in fields(Wish)]

PURCHASE: list[Column[Any]] = [purchase.c[field.name] for field in fields(Purchase)]

_HOLDER = 6  # the columns of VIEW that come before the card's
_WISH = _HOLDER + len(CARD)
_LAPSED_AFTER = timedelta(seconds=2)
_NEWEST_PURCHASES = 10
_NEWEST_WISHES = 16  # more than a conversation has in the ten minutes of a wish; the bound of the read


def _view() -> Select[Any]:
    caller = select(bindparam("phone", type_=String).label("phone")).subquery("caller")
    wishes = (
        select(pending.c.number, *WISH)
        .where(pending.c.conversation == bindparam("conversation", type_=String))
        .where(pending.c.phone == bindparam("phone", type_=String))
        .where(pending.c.expires_at > bindparam("now", type_=UtcDateTime))
        .order_by(pending.c.number.desc())
        .limit(_NEWEST_WISHES)
        .subquery("wishes")
    )
    mine = (
        (proof.c.phone == caller.c.phone)
        & (proof.c.conversation == bindparam("conversation", type_=String))
        & (proof.c.expires_at > bindparam("now", type_=UtcDateTime))
    )
    here = bindparam("conversation", type_=String)
    him = bindparam("phone", type_=String)
    foreign_wish = select(pending.c.id).where(
        pending.c.conversation == here, pending.c.phone != him, or_(*(pending.c.state == state for state in UNDER_WAY))
    )
    foreign_proof = select(proof.c.phone).where(proof.c.conversation == here, proof.c.phone != him)
    others = (exists(foreign_wish.correlate(None)) | exists(foreign_proof.correlate(None))).label("others")
    person = (
        others,
        holder.c.name,
        holder.c.pin_locked,
        holder.c.pin_locked_until,
        proof.c.turn_hash,
        proof.c.expires_at,
    )
    return (
        select(*person, *CARD, *(wishes.c[column.name] for column in WISH))
        .select_from(caller)
        .outerjoin(holder, holder.c.phone == caller.c.phone)
        .outerjoin(card, card.c.phone == holder.c.phone)
        .outerjoin(proof, mine)
        .outerjoin(wishes, true())
        .order_by(card.c.position, wishes.c.number.desc())
    )


VIEW = _view()
"""What `view` reads, in one statement, for a turn waits for it: each card beside each wish, and always one row."""


def view_of(phone: str, rows: Sequence[Sequence[Any]], now: datetime) -> CardView:
    """Return the rows of VIEW as the records that they repeat."""
    others, name, locked, locked_until, turn_hash, proven_until = rows[0][:_HOLDER]
    cards = dict.fromkeys(Card(*row[_HOLDER:_WISH]) for row in rows if row[_HOLDER] is not None)
    wishes = dict.fromkeys(_as_it_counts(Wish(*row[_WISH:]), now) for row in rows if row[_WISH] is not None)
    pin: Literal["ok", "locked"] = "locked" if is_locked(locked, locked_until, now) else "ok"
    found = None if name is None else Holder(phone, name, pin, tuple(cards))
    return CardView(found, tuple(wishes), Proof(turn_hash, proven_until) if turn_hash else None, bool(others))


def is_locked(locked: bool, until: datetime | None, now: datetime) -> bool:
    """Return whether a number's PIN is locked: for good (`locked`), or for a while after wrong ones."""
    return locked or (until is not None and now < until)


def has_lapsed(wish: Wish, now: datetime) -> bool:
    """Return whether a settling wish should long be done: who settled it is gone, and it counts as open."""
    return wish.state is WishState.SETTLING and wish.settles_at is not None and now >= wish.settles_at + _LAPSED_AFTER


def _as_it_counts(wish: Wish, now: datetime) -> Wish:
    if not has_lapsed(wish, now):
        return wish
    return replace(wish, state=WishState.OPEN, answer_hash=None, settles_at=None)


PURCHASES = (
    select(*PURCHASE)
    .join(card)
    .where(purchase.c.card_token == bindparam("token", type_=String), card.c.phone == bindparam("phone", type_=String))
    .order_by(purchase.c.day.desc(), purchase.c.number.desc())
    .limit(_NEWEST_PURCHASES)
)
"""A card's newest payments, if it is this caller's."""


def values(record: Card | Wish | Purchase) -> dict[str, Any]:
    """Return a record's columns and what they hold."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def audit_values(row: AuditRow) -> dict[str, Any]:
    """Return an audit row's columns and what they hold."""
    entry = {field.name: getattr(row.entry, field.name) for field in fields(AuditEntry)}
    return entry | {"previous_mac": row.previous_mac, "mac": row.mac}


_last = select(audit.c.seq, audit.c.mac).order_by(audit.c.seq.desc()).limit(1).subquery("last")
_about = holder.c.phone == bindparam("phone", type_=String)

NEXT_AUDIT = (
    select(_last.c.seq, _last.c.mac, holder.c.phone, holder.c.pseudonym_salt)
    .select_from(select(true()).subquery("one"))
    .outerjoin(_last, true())
    .outerjoin(holder, _about)
)
"""What the next audit row needs to know: the row that it follows, and the holder whom it is about, if any."""
