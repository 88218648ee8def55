"""A bank's own card system can stand behind the protocol, and behind the tools: late, failing, or done already."""

import asyncio

import pytest

from teller.cards.ledger import Ledger, NotProvenError, OutcomeUnknownError
from teller.cards.records import Card, CardRecord, CardState, Operation, Wish, WishState
from tests.cards.bank_ledger import BankLedger
from tests.cards.bank_system import CardSystem
from tests.cards.test_protocol import bank_system
from tests.support.ledger import MAYA, PINS, RUTH, Clock, confirm
from tools.cards import card_tools

BLOCK = Operation.BLOCK


@pytest.fixture
def system(clock: Clock) -> CardSystem:
    return bank_system(clock)


@pytest.fixture
def bank(system: CardSystem) -> BankLedger:
    return BankLedger(system)


def card_of(system: CardSystem, phone: str = MAYA) -> Card:
    return system.holders[phone].cards[0]


async def settled(ledger: Ledger, phone: str, operation: Operation, card: Card) -> Wish:
    wish = await ledger.ask("call", phone, operation, card, confirm(card))
    assert await ledger.settle(wish.id, "yes")
    return wish


@pytest.mark.parametrize(
    "faults", [[], ["late"], ["fails"], ["silent"], ["fails", "silent"], ["silent", "late"]], ids=str
)
async def test_a_block_is_done_once_and_told(bank: BankLedger, system: CardSystem, faults: list[str]) -> None:
    card = card_of(system)
    wish = await settled(bank, MAYA, BLOCK, card)
    system.faults = faults
    record = await bank.commit(wish.id, "yes", card)
    assert record is not None
    assert (record.changed, record.card.state, system.changes) == (True, CardState.BLOCKED, 1)
    assert await bank.commit(wish.id, "yes", card) == record
    assert system.changes == 1


async def test_while_the_bank_is_silent_nothing_is_told_and_the_next_turn_finishes_it(
    bank: BankLedger, system: CardSystem
) -> None:
    card = card_of(system)
    wish = await settled(bank, MAYA, BLOCK, card)
    system.faults = ["silent"] * 6
    with pytest.raises(OutcomeUnknownError):
        await bank.commit(wish.id, "yes", card)
    with pytest.raises(OutcomeUnknownError):
        await bank.view(MAYA, "call")
    view = await bank.view(MAYA, "call")
    assert view.wishes[0].state is WishState.DONE
    assert view.wishes[0].record is not None
    assert (view.wishes[0].record.changed, system.changes) == (True, 1)


@pytest.mark.parametrize("fault", ["fails", "silent"], ids=["before the bank was asked", "after it was done"])
async def test_what_a_dead_process_left_committing_is_finished_by_another_before_it_is_told_of(
    bank: BankLedger, system: CardSystem, fault: str
) -> None:
    card = card_of(system)
    wish = await settled(bank, MAYA, BLOCK, card)
    system.faults = [fault] * 3
    with pytest.raises(OutcomeUnknownError):
        await bank.commit(wish.id, "yes", card)
    assert system.changes == (fault == "silent")
    view = await BankLedger(system, bank.desk).view(MAYA, "call")
    assert (view.wishes[0].state, view.open_wish, system.changes) == (WishState.DONE, None, 1)
    assert view.holder is not None
    assert view.wishes[0].record is not None
    assert view.holder.cards[0] == view.wishes[0].record.card


async def test_while_it_is_committing_the_wish_is_neither_dropped_nor_opened_again(
    bank: BankLedger, system: CardSystem
) -> None:
    card = card_of(system)
    wish = await settled(bank, MAYA, BLOCK, card)
    system.faults = ["silent"] * 3
    with pytest.raises(OutcomeUnknownError):
        await bank.commit(wish.id, "yes", card)
    await bank.drop(wish.id)
    await bank.end_conversation("call")
    assert not await bank.reopen(wish.id, "yes")
    assert await bank.settle(wish.id, "yes") is None
    record = await bank.commit(wish.id, "yes", card)
    assert record is not None
    assert (record.changed, system.changes) == (True, 1)


async def test_the_same_yes_twice_at_once_changes_once(bank: BankLedger, system: CardSystem) -> None:
    card = card_of(system)
    wish = await settled(bank, MAYA, BLOCK, card)
    system.faults = ["late", "late"]
    first, second = await asyncio.gather(bank.commit(wish.id, "yes", card), bank.commit(wish.id, "yes", card))
    assert first == second
    assert system.changes == 1


async def test_a_card_that_the_bank_changed_meanwhile_is_left_alone(bank: BankLedger, system: CardSystem) -> None:
    card = card_of(system)
    wish = await settled(bank, MAYA, BLOCK, card)
    await system.change("somebody at the bank", MAYA, card.token, card.version, BLOCK)
    assert await bank.commit(wish.id, "yes", card) is None
    assert system.changes == 1


async def test_what_needs_a_pin_needs_it_here_too(bank: BankLedger, system: CardSystem) -> None:
    card = card_of(system, RUTH)
    wish = await settled(bank, RUTH, Operation.UNBLOCK, card)
    with pytest.raises(NotProvenError):
        await bank.commit(wish.id, "yes", card)
    assert await bank.prove("call", RUTH, PINS[RUTH], bank.fingerprint("my pin")) == "right"
    assert await bank.commit(wish.id, "yes", card) is not None


async def test_the_tools_work_on_it(bank: BankLedger, system: CardSystem) -> None:
    tools = {tool.name: tool for tool in card_tools(bank)}
    arguments = {"conversation": "chat", "phone": MAYA, "operation": BLOCK, "card": card_of(system)}
    system.faults = ["silent"]
    record: CardRecord | None = await tools["carry_out"].ainvoke(arguments)
    assert record is not None
    assert (record.changed, system.changes) == (True, 1)
