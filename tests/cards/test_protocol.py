"""What any ledger promises, ours or a bank's adapter. An adapter of yours belongs in the fixture below."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from teller.cards.demo_people import PEOPLE
from teller.cards.ledger import Ledger, NotProvenError
from teller.cards.records import Card, CardState, Holder, Operation, Wish, WishState
from tests.cards.bank_ledger import BankLedger
from tests.cards.bank_system import CardSystem
from tests.support.ledger import MAYA, PINS, RUTH, TOMAS, Clock, Target, confirm, open_ledger

BLOCK, UNBLOCK, LOST = Operation.BLOCK, Operation.UNBLOCK, Operation.REPORT_LOST
SECOND = timedelta(seconds=1)


def bank_system(clock: Callable[[], datetime]) -> CardSystem:
    return CardSystem({one.phone: Holder(one.phone, one.name, "ok", one.cards) for one in PEOPLE}, PINS, clock)


@pytest.fixture(params=["SqlLedger", "BankLedger"])
async def any_ledger(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[Ledger]:
    ledger: Ledger
    if request.param == "BankLedger":
        ledger = BankLedger(bank_system(clock))
    else:
        target: Target = request.getfixturevalue("path")
        ledger = await open_ledger(target, clock)
    yield ledger
    await ledger.close()


async def card_of(ledger: Ledger, phone: str, place: int = 0) -> Card:
    holder = (await ledger.view(phone, None)).holder
    assert holder is not None
    return holder.cards[place]


async def ask(ledger: Ledger, phone: str, operation: Operation, card: Card, text: str | None = None) -> Wish:
    return await ledger.ask("call", phone, operation, card, confirm(card, text))


async def test_a_wish_is_one_row_with_its_last_eight_clauses(any_ledger: Ledger) -> None:
    card = await card_of(any_ledger, MAYA)
    asked = [await ask(any_ledger, MAYA, BLOCK, card, f"question {number}?") for number in range(10)]
    assert len({wish.id for wish in asked}) == 1
    (wish,) = (await any_ledger.view(MAYA, "call")).wishes
    assert [clause.text for clause in wish.clauses] == [f"question {number}?" for number in range(2, 10)]


async def test_forgetting_takes_nothing_that_is_alive(any_ledger: Ledger, clock: Clock) -> None:
    asked = await ask(any_ledger, MAYA, BLOCK, await card_of(any_ledger, MAYA))
    await any_ledger.forget_old()
    assert (await any_ledger.view(MAYA, "call")).open_wish == asked


@pytest.mark.parametrize("change", ["operation", "card", "caller", "too late"])
async def test_another_wish_ends_the_one_before(any_ledger: Ledger, clock: Clock, change: str) -> None:
    first, second = await card_of(any_ledger, TOMAS), await card_of(any_ledger, TOMAS, 1)
    before = await ask(any_ledger, TOMAS, BLOCK, first)
    phone = RUTH if change == "caller" else TOMAS
    card = {"card": second, "caller": await card_of(any_ledger, RUTH)}.get(change, first)
    clock.advance(minutes=11 if change == "too late" else 0)
    after = await ask(any_ledger, phone, LOST if change == "operation" else BLOCK, card)
    assert after.id != before.id
    assert await any_ledger.settle(before.id, "yes") is None
    open_wish = (await any_ledger.view(phone, "call")).open_wish
    assert open_wish is not None
    assert open_wish.id == after.id


async def test_an_answer_settles_joins_and_is_taken_back(any_ledger: Ledger, clock: Clock) -> None:
    card = await card_of(any_ledger, MAYA)
    wish = await ask(any_ledger, MAYA, BLOCK, card)
    until = await any_ledger.settle(wish.id, "yes", clock.now, SECOND)
    clock.advance(seconds=0.5)
    assert await any_ledger.settle(wish.id, "yes", clock.now, SECOND) == until
    assert await any_ledger.settle(wish.id, "yes", clock.now - SECOND, SECOND) is None
    assert not await any_ledger.reopen(wish.id, "no")
    assert await any_ledger.reopen(wish.id, "yes")
    assert await any_ledger.commit(wish.id, "yes", card) is None
    assert await card_of(any_ledger, MAYA) == card


async def test_a_settling_wish_that_nobody_did_counts_as_open_after_two_seconds(
    any_ledger: Ledger, clock: Clock
) -> None:
    wish = await ask(any_ledger, MAYA, BLOCK, await card_of(any_ledger, MAYA))
    await any_ledger.settle(wish.id, "yes", clock.now, SECOND)
    clock.advance(seconds=3)
    (seen,) = (await any_ledger.view(MAYA, "call")).wishes
    assert (seen.state, seen.answer_hash) == (WishState.OPEN, None)
    assert await any_ledger.settle(wish.id, "yes", clock.now, SECOND) == clock.now + SECOND


async def test_a_commit_is_done_once_and_its_record_stays(any_ledger: Ledger) -> None:
    card = await card_of(any_ledger, MAYA)
    wish = await ask(any_ledger, MAYA, BLOCK, card)
    assert await any_ledger.commit(wish.id, "yes", card) is None
    await any_ledger.settle(wish.id, "yes")
    assert await any_ledger.commit(wish.id, "other words", card) is None
    record = await any_ledger.commit(wish.id, "yes", card)
    assert record is not None
    assert (record.changed, record.card.state, record.card.version) == (True, CardState.BLOCKED, card.version + 1)
    assert await any_ledger.commit(wish.id, "yes", card) == record
    assert await card_of(any_ledger, MAYA) == record.card


async def test_what_was_not_asked_about_is_not_done(any_ledger: Ledger) -> None:
    first, second = await card_of(any_ledger, TOMAS), await card_of(any_ledger, TOMAS, 1)
    wish = await ask(any_ledger, TOMAS, LOST, first)
    await any_ledger.settle(wish.id, "yes")
    assert await any_ledger.commit(wish.id, "yes", second) is None
    which = replace(confirm(first), kind="card", card_token=None)
    wish = await any_ledger.ask("another call", TOMAS, LOST, None, which)
    await any_ledger.settle(wish.id, "the first")
    assert await any_ledger.commit(wish.id, "the first", first) is None
    with pytest.raises(ValueError, match="asks before it writes"):
        await any_ledger.commit_direct("call", TOMAS, LOST, first)
    assert (await card_of(any_ledger, TOMAS), await card_of(any_ledger, TOMAS, 1)) == (first, second)


async def test_a_card_of_another_version_or_of_another_caller_is_left_alone(any_ledger: Ledger) -> None:
    stale = await card_of(any_ledger, MAYA)
    assert await any_ledger.commit_direct("chat", MAYA, BLOCK, stale) is not None
    assert await any_ledger.commit_direct("chat", MAYA, BLOCK, stale) is None
    theirs = await card_of(any_ledger, TOMAS)
    assert await any_ledger.commit_direct("chat", MAYA, BLOCK, theirs) is None
    assert await card_of(any_ledger, TOMAS) == theirs


async def test_a_lost_card_closes_and_another_is_ordered(any_ledger: Ledger) -> None:
    card = await card_of(any_ledger, MAYA)
    wish = await ask(any_ledger, MAYA, LOST, card)
    await any_ledger.settle(wish.id, "yes")
    record = await any_ledger.commit(wish.id, "yes", card)
    assert record is not None
    assert record.other is not None
    assert (record.card.state, record.other.state) == (CardState.CLOSED, CardState.INACTIVE)
    assert record.card.replacement == record.other.token
    assert record.other.last4 != card.last4


async def test_what_needs_a_pin_needs_it_in_this_conversation(any_ledger: Ledger) -> None:
    card = await card_of(any_ledger, RUTH)
    wish = await ask(any_ledger, RUTH, UNBLOCK, card)
    await any_ledger.settle(wish.id, "yes")
    await any_ledger.prove("another call", RUTH, PINS[RUTH], "words")
    with pytest.raises(NotProvenError):
        await any_ledger.commit(wish.id, "yes", card)
    with pytest.raises(NotProvenError):
        await any_ledger.disclose("call", RUTH, Operation.BALANCE, card)
    assert await any_ledger.prove("call", RUTH, PINS[RUTH], "words") == "right"
    await any_ledger.disclose("call", RUTH, Operation.BALANCE, card)
    assert await any_ledger.commit(wish.id, "yes", card) is not None


async def test_three_wrong_pins_lock_them_all(any_ledger: Ledger, clock: Clock) -> None:
    given = ["0000", "0000", "1111", "2222", PINS[MAYA]]
    verdicts = [await any_ledger.prove("call", MAYA, pin, "words") for pin in given]
    assert verdicts == ["wrong", "wrong", "wrong", "locked", "locked"]
    clock.advance(minutes=15)
    assert await any_ledger.prove("call", MAYA, PINS[MAYA], "words") == "right"


async def test_the_end_of_a_call_drops_what_is_open_and_the_proof(any_ledger: Ledger) -> None:
    await any_ledger.prove("call", MAYA, PINS[MAYA], "words")
    await ask(any_ledger, MAYA, BLOCK, await card_of(any_ledger, MAYA))
    await any_ledger.end_conversation("call")
    view = await any_ledger.view(MAYA, "call")
    assert (view.open_wish, view.proof) == (None, None)


@pytest.mark.parametrize("operation", [BLOCK, LOST])
async def test_the_end_of_a_call_drops_what_settles_but_a_block(any_ledger: Ledger, operation: Operation) -> None:
    card = await card_of(any_ledger, MAYA)
    wish = await ask(any_ledger, MAYA, operation, card)
    await any_ledger.settle(wish.id, "yes")
    await any_ledger.end_conversation("call")
    record = await any_ledger.commit(wish.id, "yes", card)
    assert (record is not None) == (operation is BLOCK)
    assert (await card_of(any_ledger, MAYA) != card) == (operation is BLOCK)


async def test_a_wish_that_settles_can_be_given_up(any_ledger: Ledger) -> None:
    card = await card_of(any_ledger, MAYA)
    wish = await ask(any_ledger, MAYA, BLOCK, card)
    await any_ledger.settle(wish.id, "yes")
    await any_ledger.drop(wish.id)
    assert await any_ledger.commit(wish.id, "yes", card) is None


async def test_one_caller_sees_nothing_of_another(any_ledger: Ledger) -> None:
    mine = await card_of(any_ledger, MAYA)
    await any_ledger.prove("call", MAYA, PINS[MAYA], "words")
    await ask(any_ledger, MAYA, BLOCK, mine)
    view = await any_ledger.view(RUTH, "call")
    assert (view.wishes, view.proof) == ((), None)
    assert mine.token not in repr(view)
    stranger = await any_ledger.view("+19998887777", "call")
    assert (stranger.holder, stranger.wishes, stranger.proof) == (None, (), None)
