"""Between rows and records: the columns of each record in the order of its fields, and the reads made of them."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Column, Row, Select, String, bindparam, select, true

from teller.cards.audit import AuditEntry, AuditRow
from teller.cards.columns import UtcDateTime
from teller.cards.ledger import CardView
from teller.cards.records import Card, Holder, Wish
from teller.cards.schema import audit, card, holder, pending

CARD: list[Column[Any]] = [card.c[field.name] for field in fields(Card)]
WISH: list[Column[Any]] = [pending.c[field.name] for field in fields(Wish)]

_HOLDER = 2  # the columns of VIEW that come before the card's
_WISH = _HOLDER + len(CARD)
_NEWEST_WISHES = 16  # more than a conversation has in the ten minutes of a wish; the bound of the read


def _view() -> Select[Any]:
    caller = select(bindparam("phone", type_=String).label("phone")).subquery("caller")
    wishes = (
        select(pending.c.number, *WISH)
        .where(pending.c.conversation == bindparam("conversation", type_=String))
        .where(pending.c.expires_at > bindparam("now", type_=UtcDateTime))
        .order_by(pending.c.number.desc())
        .limit(_NEWEST_WISHES)
        .subquery("wishes")
    )
    return (
        select(holder.c.name, holder.c.pin_locked, *CARD, *(wishes.c[column.name] for column in WISH))
        .select_from(caller)
        .outerjoin(holder, holder.c.phone == caller.c.phone)
        .outerjoin(card, card.c.phone == holder.c.phone)
        .outerjoin(wishes, true())
        .order_by(card.c.position, wishes.c.number.desc())
    )


VIEW = _view()
"""What `view` reads, in one statement, for a turn waits for it: each card beside each wish, and always one row."""


def view_of(phone: str, rows: Sequence[Row[Any]]) -> CardView:
    """Return the rows of VIEW as the records that they repeat."""
    name, locked = rows[0][:_HOLDER]
    cards = dict.fromkeys(Card(*row[_HOLDER:_WISH]) for row in rows if row[_HOLDER] is not None)
    wishes = dict.fromkeys(Wish(*row[_WISH:]) for row in rows if row[_WISH] is not None)
    found = None if name is None else Holder(phone, name, "locked" if locked else "ok", tuple(cards))
    return CardView(found, tuple(wishes))


def values(record: Card | Wish) -> dict[str, Any]:
    """Return a record's columns and what they hold."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def audit_values(row: AuditRow) -> dict[str, Any]:
    """Return an audit row's columns and what they hold."""
    entry = {field.name: getattr(row.entry, field.name) for field in fields(AuditEntry)}
    return entry | {"previous_mac": row.previous_mac, "mac": row.mac}


def audit_row(row: Row[Any]) -> AuditRow:
    """Return a row of `audit`, all columns, as its record."""
    entry = AuditEntry(row.seq, row.at, row.event, row.subject, row.wish_id, row.detail)
    return AuditRow(entry, row.previous_mac, row.mac)


LAST_AUDIT = select(audit.c.seq, audit.c.mac).order_by(audit.c.seq.desc()).limit(1)
"""The row that the next one follows."""

ALL_AUDIT = select(audit).order_by(audit.c.seq)
"""The whole trail."""
