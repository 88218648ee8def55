"""The two ways to change a card: a wish that was asked and answered, and one that needs no question.

Card, wish, audit row and record stand or fall together: each function runs in one transaction.
"""

from dataclasses import replace

from sqlalchemy import insert, select, update

from teller.cards.policy import next_state
from teller.cards.records import Card, CardRecord, CardState, Operation, Wish, WishState
from teller.cards.rows import CARD, values
from teller.cards.schema import card as cards
from teller.cards.schema import holder, pending
from teller.cards.transaction import Write
from teller.cards.wishes import LIFETIME, find, new_wish


async def commit(write: Write, wish_id: str, answer_hash: str, card: Card) -> CardRecord | None:
    """Do a settling wish, once; see `Ledger.commit`.

    Raises:
        ValueError: the wish's operation is not lawful for the card as it is.
    """
    wish = await find(write, wish_id)
    if wish is None:
        return None
    if wish.state is WishState.DONE:
        return wish.record
    if wish.state is not WishState.SETTLING or wish.answer_hash != answer_hash or not _asked_about(wish, card):
        return None
    record = await _change_card(write, wish, card)
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
        ValueError: the operation is not lawful for the card as it is.
    """
    wish = new_wish(write, conversation, phone, operation, card)
    record = await _change_card(write, wish, card)
    if record is not None:
        done = replace(wish, state=WishState.DONE, record=record)
        await write.connection.execute(insert(pending), values(done) | {"opened_at": write.at})
    return record


def _asked_about(wish: Wish, card: Card) -> bool:
    """Return whether the wish is about this card as it was asked about, or about none yet (the answer named it)."""
    return wish.card_token is None or (wish.card_token, wish.card_version) == (card.token, card.version)


async def _change_card(write: Write, wish: Wish, card: Card) -> CardRecord | None:
    """Move the card on, count and audit it; None where the caller has no such card in this version."""
    found = await _current(write, wish.phone, card)
    if found is None:
        return None
    state = _state_after(wish.operation, found.state)
    changed = state is not found.state
    if changed:
        found = replace(found, state=state, version=found.version + 1)
        await _store(write, wish.phone, found)
    await write.audit(
        "committed",
        phone=wish.phone,
        wish_id=wish.id,
        operation=wish.operation,
        last4=found.last4,
        state=found.state,
        version=found.version,
        changed=changed,
    )
    return CardRecord(wish.id, wish.operation, found, changed, write.at)


def _state_after(operation: Operation, state: CardState) -> CardState:
    """Return the operation's outcome; a card that is in it already (block a blocked one) stays as it is."""
    if after := next_state(operation, state):
        return after
    if state in {next_state(operation, before) for before in CardState}:
        return state
    raise ValueError(f"{operation} does not write, or not to a card that is {state}")


async def _current(write: Write, phone: str, card: Card) -> Card | None:
    """Return the caller's card if it still has the version that was read, locked against other writers."""
    mine = (cards.c.token == card.token, cards.c.version == card.version, cards.c.phone == phone)
    row = (await write.connection.execute(select(*CARD).where(*mine).with_for_update())).one_or_none()
    return None if row is None else Card(*row)


async def _store(write: Write, phone: str, changed: Card) -> None:
    change = update(cards).where(cards.c.token == changed.token)
    await write.connection.execute(change.values(state=changed.state, version=changed.version))
    await write.connection.execute(update(holder).where(holder.c.phone == phone).values(writes=holder.c.writes + 1))
