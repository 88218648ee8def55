"""The card tools: read a caller's cards, ask before acting, carry a wish out once, take it back, give it up.

They know no dialogue: whether a question is needed, and whether it was answered, is decided before they are called. The
policy is kept all the same: the ledger refuses what is not proven, or was not asked.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from langchain_core.tools import BaseTool, StructuredTool

from teller.cards.ledger import Ledger
from teller.cards.records import Card, CardRecord, Clause, Operation, PinVerdict, Purchase, Wish

Phone = Annotated[str, "The caller's number in E.164 form."]
Conversation = Annotated[str, "The conversation's id: one wish at most is open in it."]


@dataclass(frozen=True, slots=True)
class CardTools:
    """The tools, bound to one ledger. All raise LedgerUnavailableError where the ledger does not answer.

    `give_pin` is no LangChain tool, for their arguments are traced and logged: it takes conversation, phone, PIN, the
    fingerprint of the words that gave it, and the wish's id.
    """

    view_cards: BaseTool
    recent_payments: BaseTool
    ask_caller: BaseTool
    carry_out: BaseTool
    carry_out_confirmed: BaseTool
    settle_answer: BaseTool
    reopen: BaseTool
    take_back: BaseTool
    give_up: BaseTool
    note_refusal: BaseTool
    give_pin: Callable[[str, str, str, str, str | None], Awaitable[PinVerdict]]


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

    async def recent_payments(conversation: Conversation, phone: Phone, card: Card) -> tuple[Purchase, ...]:
        """Read a card's last payments and declined attempts, newest first; needs the caller's PIN before."""
        return await ledger.purchases(conversation, phone, card)

    async def settle_answer(wish: Wish, answer_hash: str, requested_at: datetime, wait: timedelta) -> datetime | None:
        """Note that a wish's question was answered; returns when it may be carried out, None if it may not be."""
        return await ledger.settle(wish.id, answer_hash, requested_at, wait)

    async def reopen(wish: Wish, answer_hash: str) -> bool:
        """Let a wish that is settling be open again, because other words followed; False if it is too late."""
        return await ledger.reopen(wish.id, answer_hash)

    async def take_back(wish: Wish) -> CardRecord | None:
        """Take back a block of less than two minutes ago, once; returns its record, or None if nothing was written."""
        return await ledger.undo(wish.id)

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
        recent_payments=StructuredTool.from_function(coroutine=recent_payments),
        settle_answer=StructuredTool.from_function(coroutine=settle_answer),
        reopen=StructuredTool.from_function(coroutine=reopen),
        take_back=StructuredTool.from_function(coroutine=take_back),
        give_pin=ledger.prove,
        ask_caller=StructuredTool.from_function(coroutine=ask_caller),
        carry_out=StructuredTool.from_function(coroutine=carry_out),
        carry_out_confirmed=StructuredTool.from_function(coroutine=carry_out_confirmed),
        give_up=StructuredTool.from_function(coroutine=give_up),
        note_refusal=StructuredTool.from_function(coroutine=note_refusal),
    )
