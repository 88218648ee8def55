"""PINs as they are given: what a wrong one costs, and for how long a right one counts.

The slow part, argon2id, is done before the transaction, which then has the last word: it reads the lock anew, so that
guesses sent to all replicas at once are judged three at most.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, func, insert, select, update

from teller.cards.columns import UtcDateTime
from teller.cards.forgetting import ROWS_LIVE, forget_old
from teller.cards.records import PinVerdict
from teller.cards.rows import is_locked
from teller.cards.schema import holder, pending, pin_attempt, proof
from teller.cards.transaction import Write

PROOF_LIVES = timedelta(minutes=10)
"""How long a right PIN counts in its conversation."""

WRONG_BEFORE_LOCK = 3
FIRST_LOCK = timedelta(minutes=15)
LONGEST_LOCK = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Given:
    """A PIN as it was given: who, where, the fingerprint of the words, and the keyed hash of the value."""

    conversation: str
    phone: str
    turn_hash: str
    value_hash: str
    wish_id: str | None


def _standing() -> Select[Any]:
    known = (
        (pin_attempt.c.phone == holder.c.phone)
        & (pin_attempt.c.value_hash == bindparam("value_hash"))
        & (pin_attempt.c.at > bindparam("since", type_=UtcDateTime))
    )
    columns = (holder.c.pin_hash, holder.c.pin_locked, holder.c.pin_locked_until, holder.c.pin_locks, pin_attempt.c.at)
    return select(*columns).outerjoin(pin_attempt, known).where(holder.c.phone == bindparam("phone"))


STANDING = _standing()
"""How a number stands with its PIN, and when this very value was wrong lately (`at`), if it was."""


def standing_parameters(given: Given, now: datetime) -> dict[str, object]:
    """Return what STANDING is asked with."""
    return {"phone": given.phone, "value_hash": given.value_hash, "since": now - ROWS_LIVE}


def locked(standing: Row[Any], now: datetime) -> bool:
    """Return whether the number's PIN is locked."""
    return is_locked(standing.pin_locked, standing.pin_locked_until, now)


async def judge(write: Write, given: Given, right: bool | None) -> PinVerdict:
    """Give the verdict on a PIN that was found right or wrong, and let it have its consequences; see `Ledger.prove`.

    None: it was locked a moment ago, so nobody looked.
    """
    await forget_old(write)
    standing = (await write.connection.execute(STANDING, standing_parameters(given, write.at))).one_or_none()
    if standing is None:
        await write.audit("refused", phone=given.phone, reason="a PIN for an unknown number")
        return "wrong"
    if right is None or locked(standing, write.at):
        await write.audit("refused", phone=given.phone, wish_id=given.wish_id, reason="PIN locked")
        return "locked"
    if given.wish_id is not None:
        noted = update(pending).where(pending.c.id == given.wish_id).values(judged=given.turn_hash)
        await write.connection.execute(noted)
    return await (_accept(write, given) if right else _reject(write, given, standing))


async def _accept(write: Write, given: Given) -> PinVerdict:
    mine = (proof.c.conversation == given.conversation, proof.c.phone == given.phone)
    row = {
        "conversation": given.conversation,
        "phone": given.phone,
        "turn_hash": given.turn_hash,
        "expires_at": write.at + PROOF_LIVES,
    }
    await write.connection.execute(delete(proof).where(*mine))
    await write.connection.execute(insert(proof), row)
    await write.connection.execute(delete(pin_attempt).where(pin_attempt.c.phone == given.phone))
    await _set_lock(write, given.phone, locks=0, until=None)
    await write.audit("proven", phone=given.phone, wish_id=given.wish_id)
    return "right"


async def _reject(write: Write, given: Given, standing: Row[Any]) -> PinVerdict:
    counts = standing.at is None
    if counts:
        row = {"phone": given.phone, "value_hash": given.value_hash, "at": write.at, "spent": False}
        await write.connection.execute(insert(pin_attempt), row)
    await write.audit("pin_wrong", phone=given.phone, wish_id=given.wish_id, counts=counts)
    mine = (pin_attempt.c.phone == given.phone, pin_attempt.c.spent.is_(False))
    wrong = await write.connection.scalar(select(func.count()).select_from(pin_attempt).where(*mine))
    if not counts or (wrong or 0) < WRONG_BEFORE_LOCK:
        return "wrong"
    await write.connection.execute(update(pin_attempt).where(*mine).values(spent=True))
    recent = standing.pin_locked_until is not None and standing.pin_locked_until > write.at - ROWS_LIVE
    locks = standing.pin_locks + 1 if recent else 1
    lock = min(FIRST_LOCK * 2 ** min(locks - 1, 10), LONGEST_LOCK)
    await _set_lock(write, given.phone, locks=locks, until=write.at + lock)
    await write.audit("pin_locked", phone=given.phone, minutes=int(lock.total_seconds() // 60))
    return "locked"


async def _set_lock(write: Write, phone: str, *, locks: int, until: datetime | None) -> None:
    change = update(holder).where(holder.c.phone == phone).values(pin_locks=locks, pin_locked_until=until)
    await write.connection.execute(change)
