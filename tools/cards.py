"""The card tools: read a caller's cards, ask before acting, carry a wish out once, give it up.

They know no dialogue: whether a question is needed, and whether it was answered, is decided before they are called. The
policy is kept all the same: the ledger refuses what is not proven, or was not asked.
"""

from dataclasses import dataclass
from typing import Annotated

from langchain_core.tools import BaseTool, StructuredTool

from teller.cards.ledger import Ledger
from teller.cards.records import Card, CardRecord, Clause, Operation, Wish

Phone = Annotated[str, "The caller's number in E.164 form."]
Conversation = Annotated[str, "The conversation's id: one wish at most is open in it."]


@dataclass(frozen=True, slots=True)
class CardTools:
    """The tools, bound to one ledger. All raise LedgerUnavailableError where the ledger does not answer."""

    view_cards: BaseTool
    ask_caller: BaseTool
    carry_out: BaseTool
    carry_out_confirmed: BaseTool
    give_up: BaseTool
    note_refusal: BaseTool


def card_tools(ledger: Ledger) -> CardTools:
    """Return the card tools of a ledger."""

    async def ask_caller(
        conversation: Conversation, phone: Phone, operation: Operation, card: Card | None, clause: Clause
    ) -> Wish:
        """Record a question about a wish before it is spoken; returns the wish."""
        return await ledger.ask(conversation, phone, operation, card, clause)

    async def carry_out(
        conversation: Conversation, phone: Phone, operation: Operation, card: Card
    ) -> CardRecord | None:
        """Carry out a wish that needs no question; returns its record, or None if the card changed meanwhile."""
        return await ledger.commit_direct(conversation, phone, operation, card)

    async def carry_out_confirmed(wish: Wish, answer_hash: str, card: Card) -> CardRecord | None:
        """Carry out a wish whose question was answered; returns its record, or None if nothing was written."""
        await ledger.settle(wish.id, answer_hash)
        return await ledger.commit(wish.id, answer_hash, card)

    async def give_up(wish: Wish) -> None:
        """Drop a wish that the caller no longer has."""
        await ledger.drop(wish.id)

    async def note_refusal(phone: Phone | None, operation: Operation | None, reason: str) -> None:
        """Put into the audit trail that a wish was refused, and why, in our own words."""
        await ledger.refuse(phone, operation, reason)

    return CardTools(
        view_cards=StructuredTool.from_function(
            coroutine=ledger.view, name="view_cards", description="Read cards and open wishes."
        ),
        ask_caller=StructuredTool.from_function(coroutine=ask_caller),
        carry_out=StructuredTool.from_function(coroutine=carry_out),
        carry_out_confirmed=StructuredTool.from_function(coroutine=carry_out_confirmed),
        give_up=StructuredTool.from_function(coroutine=give_up),
        note_refusal=StructuredTool.from_function(coroutine=note_refusal),
    )
