"""The demo ledger: ten people, always the same, for `make serve`, the tests and whoever wants to try Teller out."""

import asyncio
from dataclasses import replace
from typing import Any, Literal, TypedDict

from sqlalchemy import delete, exists, func, insert, select

from teller.cards.demo_people import PEOPLE
from teller.cards.demo_purchases import purchases_of
from teller.cards.pin import hash_pin
from teller.cards.records import Card
from teller.cards.rows import CARD, is_locked, values
from teller.cards.schema import audit, card, holder, meta, pending, pin_attempt, proof, purchase
from teller.cards.sql_ledger import SqlLedger
from teller.cards.transaction import Write
from teller.errors import NotADemoLedgerError


class CardListing(TypedDict):
    """A card in `teller cards list --json`; money as text with two places."""

    product: str
    network: str
    last4: str
    state: str
    credit_limit: str
    balance: str
    due_date: str | None


class HolderListing(TypedDict):
    """A holder in `teller cards list --json`; `writes` counts the committed changes of the cards since the reset."""

    phone: str
    name: str
    pin: Literal["ok", "locked"]
    cards: list[CardListing]
    writes: int


async def reset(ledger: SqlLedger, pepper: bytes) -> None:
    """Bring everything back to the demo's beginning, also under a running server; audit rows and versions go on.

    Raises:
        NotADemoLedgerError: somebody else's cards are in this ledger.
        LedgerUnavailableError: nothing was changed.
    """
    hashes = await _pin_hashes(pepper)

    async def begin_again(write: Write) -> None:
        if not (await _is_empty(write) or await _is_demo(write)):
            raise NotADemoLedgerError("this ledger holds other people than the demo's: it is not reset")
        await _fill(write, hashes)
        await write.audit("reset")

    await ledger.write(begin_again)


async def seed_if_empty(ledger: SqlLedger, pepper: bytes) -> bool:
    """Fill a ledger that has never held anything with the demo; False where it has, whatever that was.

    Raises:
        LedgerUnavailableError: nothing was changed.
    """
    if await ledger.read(select(holder.c.phone).limit(1)):
        return False
    hashes = await _pin_hashes(pepper)

    async def begin(write: Write) -> bool:
        if not await _is_empty(write) or await write.connection.scalar(select(func.count()).select_from(audit)):
            return False  # another process was first, or it is empty because people were erased
        await _fill(write, hashes)
        await write.audit("seeded")
        return True

    return await ledger.write(begin)


async def listing(ledger: SqlLedger) -> list[HolderListing]:
    """Return all holders, in their order, as `teller cards list --json` shows them.

    Raises:
        LedgerUnavailableError: nothing could be read.
    """
    columns = (holder.c.phone, holder.c.name, holder.c.pin_locked, holder.c.pin_locked_until, holder.c.writes)
    query = select(*columns, *CARD).outerjoin(card).order_by(holder.c.position, card.c.position)
    holders: dict[str, HolderListing] = {}
    for row in await ledger.read(query):
        phone, name, locked, until, writes = row[: len(columns)]
        pin: Literal["ok", "locked"] = "locked" if is_locked(locked, until, ledger.now()) else "ok"
        entry = holders.setdefault(phone, HolderListing(phone=phone, name=name, pin=pin, cards=[], writes=writes))
        if row.token is not None:
            entry["cards"].append(_listed(Card(*row[len(columns) :])))
    return list(holders.values())


def _listed(one: Card) -> CardListing:
    return CardListing(
        product=one.product,
        network=one.network,
        last4=one.last4,
        state=one.state.value,
        credit_limit=f"{one.credit_limit:.2f}",
        balance=f"{one.balance:.2f}",
        due_date=one.due_date.isoformat() if one.due_date else None,
    )


async def _pin_hashes(pepper: bytes) -> list[str]:
    return await asyncio.gather(*(asyncio.to_thread(hash_pin, person.pin, pepper) for person in PEOPLE))


async def _is_empty(write: Write) -> bool:
    return await write.connection.scalar(select(func.count()).select_from(holder)) == 0


async def _is_demo(write: Write) -> bool:
    """Return whether the demo was put here, and nobody was added to it since."""
    others = select(exists().where(holder.c.phone.not_in([person.phone for person in PEOPLE])))
    return await _was_demo(write) and not await write.connection.scalar(others)


async def _was_demo(write: Write) -> bool:
    return await write.connection.scalar(select(meta.c.value).where(meta.c.key == "demo")) == "yes"


_SALTS = select(holder.c.phone, holder.c.pseudonym_salt)


async def _fill(write: Write, hashes: list[str]) -> None:
    """Put the demo's people in place of whatever was there.

    Cards are deleted and made anew, for a closed one can't be opened again; their versions begin above every version
    that was seen before, so that nobody can commit what he read before the reset. Pseudonyms stay: the trail goes on.
    """
    version = (await write.connection.scalar(select(func.max(card.c.version))) or 0) + 1
    salts = {row.phone: row.pseudonym_salt for row in await write.connection.execute(_SALTS)}
    for table in (proof, pin_attempt, pending, purchase, card, holder):
        await write.connection.execute(delete(table))
    if not await _was_demo(write):
        await write.connection.execute(insert(meta), {"key": "demo", "value": "yes"})
    await write.connection.execute(insert(holder), [_holder_row(place, pin, salts) for place, pin in enumerate(hashes)])
    await write.connection.execute(insert(card), _card_rows(version))
    await write.connection.execute(insert(purchase), _purchase_rows())


def _holder_row(position: int, pin_hash: str, salts: dict[str, str | None]) -> dict[str, Any]:
    person = PEOPLE[position]
    return {
        "phone": person.phone,
        "name": person.name,
        "position": position,
        "pin_hash": pin_hash,
        "pin_locked": person.pin_locked,
        "writes": 0,
        "pseudonym_salt": salts.get(person.phone),
    }


def _card_rows(version: int) -> list[dict[str, Any]]:
    return [
        values(replace(card, version=version)) | {"phone": person.phone, "position": position}
        for person in PEOPLE
        for position, card in enumerate(person.cards)
    ]


def _purchase_rows() -> list[dict[str, Any]]:
    return [
        values(payment) | {"card_token": card.token}
        for person in PEOPLE
        for card in person.cards
        for payment in purchases_of(card)
    ]
