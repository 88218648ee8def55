"""The protocol of a card ledger: small, so that a bank's own card system can stand behind it.

`sql_ledger.py` is the implementation that ships.
"""

from dataclasses import dataclass
from typing import Protocol

from teller.cards.records import Card, CardRecord, Clause, Holder, Operation, Wish


@dataclass(frozen=True, slots=True)
class CardView:
    """All that a turn needs to know before it speaks of cards, from one read.

    `holder` is None for a number that is nobody's; `wishes` are this conversation's, newest first, none expired.
    """

    holder: Holder | None
    wishes: tuple[Wish, ...]


class Ledger(Protocol):
    """Cards, wishes under way and the audit trail. Every write is one transaction with its audit row.

    Raises (all methods): LedgerUnavailableError where nothing could be read or written; nothing changed then.
    """

    async def view(self, phone: str, conversation: str | None) -> CardView:
        """Read a caller's cards and this conversation's wishes; a conversation of None has none."""
        ...

    async def ask(self, conversation: str, phone: str, operation: Operation, card: Card | None, clause: Clause) -> Wish:
        """Commit a question before it is spoken: opens the conversation's wish, or adds the clause to the open one.

        An open wish of another caller, operation or (once both are known) card is dropped first. The card and its
        version are those that the latest question was about.
        """
        ...

    async def settle(self, wish_id: str, answer_hash: str) -> bool:
        """Move an open wish to settling with the hash of the words that answered it; False if it is not open."""
        ...

    async def commit(self, wish_id: str, answer_hash: str, card: Card) -> CardRecord | None:
        """Do a settling wish, once: card by version, wish by state and answer, audit row and record in one transaction.

        Returns the record; None where the card changed meanwhile or the wish is settling no more (nothing is written
        then, and the card's present state is what there is to tell). A wish that is done already gives its record.
        """
        ...

    async def commit_direct(self, conversation: str, phone: str, operation: Operation, card: Card) -> CardRecord | None:
        """Do a wish that needs no question: its row is written done in the same transaction.

        Returns None where the card changed since `card` was read.
        """
        ...

    async def drop(self, wish_id: str) -> None:
        """Give up a wish that is open: the caller changed his mind."""
        ...

    async def end_conversation(self, conversation: str) -> None:
        """Drop what is open in a conversation that has ended; a settling wish goes on."""
        ...

    async def refuse(self, phone: str | None, operation: Operation | None, reason: str) -> None:
        """Put a refusal into the audit trail: `reason` is one of our own words, never the caller's."""
        ...

    async def ready(self) -> None:
        """Return if the schema is current and the ledger answers.

        Raises:
            LedgerUnavailableError: it does not.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
