"""The protocol of a card ledger: small, so that a bank's own card system can stand behind it.

`sql_ledger.py` is the implementation that ships; docs/card_system_adapter.md says what another one must promise.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from teller.cards.records import (
    UNDER_WAY,
    Card,
    CardRecord,
    Clause,
    Holder,
    Operation,
    PinVerdict,
    Proof,
    Purchase,
    Wish,
)
from teller.errors import LedgerUnavailableError, TellerError


class NotProvenError(TellerError):
    """The operation needs the caller's PIN in this conversation, and there is none, or no more; nothing was done."""


class TooManyOrdersError(TellerError):
    """No further card is ordered for this caller today: a person has to. Nothing was done; a block still can be."""


class OutcomeUnknownError(LedgerUnavailableError):
    """A write was sent and no answer came: it was done or it was not. Doing the same wish again is safe.

    The one LedgerUnavailableError after which "nothing was changed" may not be said.
    """


@dataclass(frozen=True, slots=True)
class CardView:
    """All that a turn needs to know before it speaks of cards, from one read.

    `holder` is None for a number that is nobody's; `wishes` are this caller's in this conversation, newest first, none
    expired; `proof` too is his in this conversation, if it still holds. Nothing in it is of another caller, but for
    `others`: that somebody else has an open wish or a proof in this conversation.
    """

    holder: Holder | None
    wishes: tuple[Wish, ...]
    proof: Proof | None = None
    others: bool = False

    @property
    def open_wish(self) -> Wish | None:
        """The conversation's wish that waits for an answer, if there is one."""
        return next((wish for wish in self.wishes if wish.state in UNDER_WAY), None)


class Ledger(Protocol):
    """Cards, wishes under way, proofs and the audit trail. Every write is one transaction with its audit row.

    Raises (all methods): LedgerUnavailableError where nothing could be read or written; nothing changed then, except
    as OutcomeUnknownError says.
    """

    async def view(self, phone: str, conversation: str | None) -> CardView:
        """Read a caller's cards, and his wishes and proof in this conversation; a conversation of None has none.

        A wish that was settling shows as open two seconds after it should have been done: who settled it is gone.
        """
        ...

    async def disclose(self, conversation: str, phone: str, operation: Operation, card: Card) -> tuple[Purchase, ...]:
        """Note in the audit trail that a balance, a limit, … is about to be told, and return the card's last payments.

        To be called before anything that needs a PIN is told of a card. The payments and declined attempts are the
        newest first; none, and no audit row, for a card that is not the caller's.

        Raises:
            NotProvenError: the caller gave no PIN in this conversation, or it was too long ago.
        """
        ...

    async def ask(self, conversation: str, phone: str, operation: Operation, card: Card | None, clause: Clause) -> Wish:
        """Commit a question before it is spoken: opens the conversation's wish, or adds the clause to the open one.

        An open wish of another caller, operation or (once both are known) card is dropped first, and so is another
        caller's proof. The card and its version are those that the latest question was about.
        """
        ...

    async def note_request(self, wish_id: str, requested_at: datetime) -> bool:
        """Raise the time of the newest request seen for a wish; False if a newer one was seen before."""
        ...

    async def settle(
        self,
        wish_id: str,
        answer_hash: str,
        requested_at: datetime | None = None,
        wait: timedelta = timedelta(0),
    ) -> datetime | None:
        """Move an open wish to settling with the hash of the words that answered it, and return when it may be done.

        `wait` counts from now; `requested_at` (now, where it is None) raises the newest request. The same words again
        join the wait that is on; other words settle anew. None, and nothing written, if the wish is not under way or a
        newer request was seen. The ledger does not wait: whoever calls `commit` does.
        """
        ...

    async def reopen(self, wish_id: str, answer_hash: str) -> bool:
        """Make a wish that settles with these words open again; False if it does not (any more)."""
        ...

    async def commit(self, wish_id: str, answer_hash: str, card: Card) -> CardRecord | None:
        """Do a settling wish, once: card by version, wish by state and answer, audit row and record in one transaction.

        Returns the record; None where the card changed meanwhile, was not what was asked about, or the wish is settling
        no more (nothing is written then, and the card's present state is what there is to tell). A wish that is done
        already gives its record.

        Raises:
            NotProvenError: the operation needs a PIN, and the proof does not hold (any more).
            TooManyOrdersError: it would order a card, and the day's are ordered; the wish is dropped. A refusal leaves
                its audit row, too.
        """
        ...

    async def commit_direct(self, conversation: str, phone: str, operation: Operation, card: Card) -> CardRecord | None:
        """Do a wish that needs no question: its row is written done in the same transaction.

        Returns None where the card changed since `card` was read. ValueError for an operation that always asks.
        """
        ...

    async def undo(self, wish_id: str) -> CardRecord | None:
        """Take back a block that this wish did, within two minutes and once: repeated, it gives the same record.

        Needs no PIN, for it only restores what the caller had before his own word of a moment ago. None, and nothing
        written, where the wish did no block, it is too late, or the card changed since.
        """
        ...

    async def drop(self, wish_id: str) -> None:
        """Give up a wish that is open or settling: the caller changed his mind. One whose commit has begun stays."""
        ...

    async def end_conversation(self, conversation: str) -> None:
        """Drop what is open or settling in a conversation that has ended, and its proofs; a settling block goes on."""
        ...

    def fingerprint(self, words: str) -> str:
        """Return a keyed hash of a caller's words, for `prove` and to find them again: no way back to a PIN in them."""
        ...

    async def prove(
        self, conversation: str, phone: str, pin: str, turn_hash: str, wish_id: str | None = None
    ) -> PinVerdict:
        """Judge a PIN, and if it is right let it count in this conversation for ten minutes.

        A wrong value counts once a number in 24 hours, and three of them lock the number's PIN for 15 minutes, each
        further lock twice as long; a right one clears that. While it is locked nothing is judged. `turn_hash`:
        the fingerprint of the words that gave it, noted with the proof and, unless it is locked, with the wish.
        """
        ...

    async def refuse(self, phone: str | None, operation: Operation | None, reason: str) -> None:
        """Put a refusal into the audit trail: `reason` is one of our own words, never the caller's."""
        ...

    async def forget_old(self) -> None:
        """Delete what has outlived its use; asked for at the start and every ten minutes."""
        ...

    def now(self) -> datetime:
        """Return the time by which all moments of this ledger are given."""
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
