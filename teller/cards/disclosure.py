"""What is told of a card to a caller who gave his PIN: it leaves an audit row, as a write does."""

from sqlalchemy import exists, select

from teller.cards.commits import is_proven
from teller.cards.ledger import NotProvenError
from teller.cards.policy import POLICY, TRANSITIONS
from teller.cards.records import Card, Operation, Purchase
from teller.cards.rows import PURCHASES
from teller.cards.schema import card as cards
from teller.cards.transaction import Write


async def disclose(
    write: Write, conversation: str, phone: str, operation: Operation, card: Card
) -> tuple[Purchase, ...] | NotProvenError:
    """Note what is about to be told, and return the card's last payments; see `Ledger.disclose`.

    A refusal is returned, not raised: its audit row is to be committed.

    Raises:
        ValueError: the operation changes cards.
    """
    if operation in TRANSITIONS:
        raise ValueError(f"{operation} is done, not told")
    own = select(exists().where(cards.c.token == card.token, cards.c.phone == phone))
    if not await write.connection.scalar(own):
        return ()
    if POLICY[operation].proof == "pin" and not await is_proven(write, conversation, phone):
        refusal = NotProvenError(f"{operation} needs the caller's PIN")
        await write.audit("refused", phone=phone, operation=operation, reason=str(refusal))
        return refusal
    rows = await write.connection.execute(PURCHASES, {"token": card.token, "phone": phone})
    await write.audit("told", phone=phone, operation=operation, last4=card.last4)
    return tuple(Purchase(row.day, row.merchant, row.amount, row.declined) for row in rows)
