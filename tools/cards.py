"""The card tools: read a caller's cards, ask before acting, carry a wish out once, take it back, give it up.

They know no dialogue: whether a question is needed, and whether it was answered, is decided before they are called. The
policy is kept all the same: the ledger refuses what is not proven, or was not asked. The graph calls the methods, so
that no number and no PIN passes through a trace; `card_tools` offers them to another agent as LangChain tools.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from langchain_core.tools import BaseTool, StructuredTool

from teller.cards.ledger import CardView, Ledger
from teller.cards.records import Card, CardRecord, Clause, Operation, PinVerdict, Purchase, Wish

Phone = Annotated[str, "The caller's number in E.164 form."]
Conversation = Annotated[str, "The conversation's id: one wish at most is open in it."]


@dataclass(frozen=True, slots=True)
class CardTools:
    """What can be done at one ledger. All methods raise LedgerUnavailableError where it does not answer."""

    ledger: Ledger

    async def view_cards(self, phone: Phone, conversation: Conversation | None = None) -> CardView:
        """Read a caller's cards, his open wishes and whether he has given his PIN."""
        return await self.ledger.view(phone, conversation)

    async def disclose(
        self, conversation: Conversation, phone: Phone, operation: Operation, card: Card
    ) -> tuple[Purchase, ...]:
        """Note that a balance, a limit, … of a card is told, and return its last payments and declined attempts.

        They are the newest first. NotProvenError without the caller's PIN.
        """
        return await self.ledger.disclose(conversation, phone, operation, card)

    async def ask_caller(
        self, conversation: Conversation, phone: Phone, operation: Operation, card: Card | None, clause: Clause
    ) -> Wish:
        """Record a question about a wish before it is spoken; returns the wish."""
        return await self.ledger.ask(conversation, phone, operation, card, clause)

    async def note_request(self, wish_id: str, requested_at: datetime) -> bool:
        """Note that a request concerns an open wish; False where a newer one was seen."""
        return await self.ledger.note_request(wish_id, requested_at)

    async def settle(
        self, wish_id: str, answer_hash: str, requested_at: datetime, wait_seconds: float
    ) -> datetime | None:
        """Take an answer to a wish's question, and return when it may be acted on; None if it may not."""
        return await self.ledger.settle(wish_id, answer_hash, requested_at, timedelta(seconds=wait_seconds))

    async def reopen(self, wish_id: str, answer_hash: str) -> bool:
        """Make a wish open again whose answer was taken; False where that answer does not stand (any more)."""
        return await self.ledger.reopen(wish_id, answer_hash)

    async def carry_out_confirmed(self, wish_id: str, answer_hash: str, card: Card) -> CardRecord | None:
        """Carry out a wish whose answer has settled, once; returns its record, or None if nothing was written."""
        return await self.ledger.commit(wish_id, answer_hash, card)

    async def carry_out(
        self, conversation: Conversation, phone: Phone, operation: Operation, card: Card
    ) -> CardRecord | None:
        """Carry out a wish that needs no question; returns its record, or None if the card changed meanwhile."""
        return await self.ledger.commit_direct(conversation, phone, operation, card)

    async def take_back(self, wish_id: str) -> CardRecord | None:
        """Take back a block of the last two minutes, once; returns the record, or None where it is too late."""
        return await self.ledger.undo(wish_id)

    async def give_up(self, wish_id: str) -> None:
        """Drop a wish that the caller no longer has."""
        await self.ledger.drop(wish_id)

    async def note_refusal(self, phone: Phone | None, operation: Operation | None, reason: str) -> None:
        """Put into the audit trail that a wish was refused, and why, in our own words."""
        await self.ledger.refuse(phone, operation, reason)

    async def judge_pin(
        self, conversation: Conversation, phone: Phone, pin: str, turn_hash: str, wish_id: str | None
    ) -> PinVerdict:
        """Judge a PIN; see `Ledger.prove`. No LangChain tool: what those are called with is traced."""
        return await self.ledger.prove(conversation, phone, pin, turn_hash, wish_id)


def card_tools(ledger: Ledger) -> list[BaseTool]:
    """Return the tools of a ledger for an agent to bind: all but the judging of PINs."""
    tools = CardTools(ledger)
    offered = (
        tools.view_cards,
        tools.disclose,
        tools.ask_caller,
        tools.note_request,
        tools.settle,
        tools.reopen,
        tools.carry_out_confirmed,
        tools.carry_out,
        tools.take_back,
        tools.give_up,
        tools.note_refusal,
    )
    return [StructuredTool.from_function(coroutine=method) for method in offered]
