"""What the ledger does not keep: wishes, proofs and wrong PINs of yesterday, and a person who asks to be erased.

The audit trail keeps its rows. They name nobody: with the salt of the person's pseudonym gone, not even who has
AUDIT_KEY and the number can tell that it was his.
"""

from datetime import timedelta

from sqlalchemy import delete, exists, or_, select

from teller.cards.schema import card, holder, pending, pin_attempt, proof, purchase
from teller.cards.transaction import Write

ROWS_LIVE = timedelta(hours=24)
"""How long rows about a conversation are kept, and how long a wrong PIN counts."""


async def forget_old(write: Write) -> None:
    """Delete what has outlived its use."""
    yesterday = write.at - ROWS_LIVE
    await write.connection.execute(delete(pending).where(pending.c.opened_at <= yesterday))
    await write.connection.execute(delete(proof).where(proof.c.expires_at <= write.at))
    await write.connection.execute(delete(pin_attempt).where(pin_attempt.c.at <= yesterday))


async def erase(write: Write, phone: str) -> bool:
    """Delete all that the ledger holds of a number; False, and no audit row, where it holds nothing."""
    own = select(card.c.token).where(card.c.phone == phone).scalar_subquery()
    talked = or_(pending.c.phone == phone, pending.c.conversation.contains(phone, autoescape=True))
    proven = or_(proof.c.phone == phone, proof.c.conversation.contains(phone, autoescape=True))
    deleted = 0
    for statement in (
        delete(purchase).where(purchase.c.card_token.in_(own)),
        delete(card).where(card.c.phone == phone),
        delete(pending).where(talked),
        delete(proof).where(proven),
        delete(pin_attempt).where(pin_attempt.c.phone == phone),
    ):
        deleted += (await write.connection.execute(statement)).rowcount
    known = await write.connection.scalar(select(exists().where(holder.c.phone == phone)))
    if not (deleted or known):
        return False
    await write.audit("erased", phone=phone)  # while the salt is there: it is the last row of this pseudonym
    await write.connection.execute(delete(holder).where(holder.c.phone == phone))
    return True
