"""A yes that settles: who may start it, join it, take it back; and a block that is taken back."""

import asyncio
from datetime import timedelta

import pytest

from teller.cards.records import CardState, Operation, Wish, WishState
from teller.cards.sql_ledger import SqlLedger
from tests.support.ledger import MAYA, TOMAS, Clock, Target, card_of, confirm, done, open_ledger, prove, settled

BLOCK = Operation.BLOCK
SECOND = timedelta(seconds=1)


async def asked(ledger: SqlLedger) -> Wish:
    card = await card_of(ledger, MAYA)
    return await ledger.ask("call", MAYA, BLOCK, card, confirm(card))


async def only_wish(ledger: SqlLedger) -> Wish:
    (wish,) = (await ledger.view(MAYA, "call")).wishes
    return wish


class TestSettle:
    async def test_tells_when_it_may_be_done(self, ledger: SqlLedger, clock: Clock) -> None:
        wish = await asked(ledger)
        assert await ledger.settle(wish.id, "yes", clock.now, SECOND) == clock.now + SECOND
        settling = await only_wish(ledger)
        assert (settling.state, settling.settles_at) == (WishState.SETTLING, clock.now + SECOND)

    async def test_with_the_same_words_joins_the_wait(self, ledger: SqlLedger, clock: Clock) -> None:
        wish = await asked(ledger)
        until = await ledger.settle(wish.id, "yes", clock.now, SECOND)
        rows = len(await ledger.audit_trail())
        clock.advance(seconds=0.4)
        assert await ledger.settle(wish.id, "yes", clock.now, SECOND) == until
        assert len(await ledger.audit_trail()) == rows

    async def test_with_other_words_waits_anew_and_the_former_words_write_nothing(
        self, ledger: SqlLedger, clock: Clock
    ) -> None:
        wish, card = await asked(ledger), await card_of(ledger, MAYA)
        await ledger.settle(wish.id, "yes", clock.now, SECOND)
        clock.advance(seconds=0.4)
        assert await ledger.settle(wish.id, "yes please", clock.now, SECOND) == clock.now + SECOND
        assert await ledger.commit(wish.id, "yes", card) is None
        assert await ledger.commit(wish.id, "yes please", card) is not None

    async def test_by_an_older_request_than_was_seen_is_refused(self, ledger: SqlLedger, clock: Clock) -> None:
        wish = await asked(ledger)
        assert await ledger.note_request(wish.id, clock.now + SECOND)
        assert not await ledger.note_request(wish.id, clock.now)
        assert await ledger.settle(wish.id, "yes", clock.now, SECOND) is None
        assert (await only_wish(ledger)).state is WishState.OPEN
        assert await ledger.settle(wish.id, "yes", clock.now + SECOND, SECOND) is not None

    async def test_raises_the_newest_request(self, ledger: SqlLedger, clock: Clock) -> None:
        wish = await asked(ledger)
        await ledger.settle(wish.id, "yes", clock.now + SECOND)
        assert not await ledger.note_request(wish.id, clock.now)
        assert (await only_wish(ledger)).newest_request == clock.now + SECOND

    async def test_by_six_guesses_on_two_replicas_writes_once(
        self, ledger: SqlLedger, target: Target, clock: Clock
    ) -> None:
        rival = await open_ledger(target, clock)
        wish, card = await asked(ledger), await card_of(ledger, MAYA)
        settled = await asyncio.gather(*(side.settle(wish.id, "yes", clock.now) for side in (ledger, rival) * 3))
        assert settled == [clock.now] * 6
        records = await asyncio.gather(*(side.commit(wish.id, "yes", card) for side in (ledger, rival) * 3))
        assert len(set(records)) == 1
        assert records[0] is not None
        assert records[0].card.version == card.version + 1
        await rival.close()


class TestReopen:
    async def test_takes_a_settling_answer_back(self, ledger: SqlLedger, clock: Clock) -> None:
        wish, card = await asked(ledger), await card_of(ledger, MAYA)
        await ledger.settle(wish.id, "yes", clock.now, SECOND)
        assert not await ledger.reopen(wish.id, "other words")
        assert await ledger.reopen(wish.id, "yes")
        assert not await ledger.reopen(wish.id, "yes")
        assert await ledger.commit(wish.id, "yes", card) is None
        assert (await only_wish(ledger)).state is WishState.OPEN
        assert await ledger.settle(wish.id, "yes", clock.now, SECOND)
        assert await ledger.commit(wish.id, "yes", card) is not None

    async def test_after_the_commit_is_too_late(self, ledger: SqlLedger) -> None:
        record = await done(ledger, MAYA, BLOCK, await card_of(ledger, MAYA))
        assert not await ledger.reopen(record.wish_id, "yes")


class TestADeadProcess:
    """One that settled and did not live to commit."""

    async def test_leaves_a_wish_that_counts_as_open_two_seconds_later(self, ledger: SqlLedger, clock: Clock) -> None:
        wish = await asked(ledger)
        await ledger.settle(wish.id, "yes", clock.now, SECOND)
        clock.advance(seconds=2.9)
        assert (await only_wish(ledger)).state is WishState.SETTLING
        clock.advance(seconds=0.1)
        lapsed = await only_wish(ledger)
        assert (lapsed.state, lapsed.answer_hash) == (WishState.OPEN, None)

    async def test_that_wakes_up_a_minute_later_writes_nothing(self, ledger: SqlLedger, clock: Clock) -> None:
        wish, card = await asked(ledger), await card_of(ledger, MAYA)
        await ledger.settle(wish.id, "yes", clock.now, SECOND)
        clock.advance(seconds=61.1)
        assert await ledger.commit(wish.id, "yes", card) is None
        assert await card_of(ledger, MAYA) == card

    async def test_lets_the_same_yes_settle_anew(self, ledger: SqlLedger, clock: Clock) -> None:
        wish, card = await asked(ledger), await card_of(ledger, MAYA)
        await ledger.settle(wish.id, "yes", clock.now, SECOND)
        clock.advance(seconds=5)
        assert await ledger.settle(wish.id, "yes", clock.now, SECOND) == clock.now + SECOND
        assert await ledger.commit(wish.id, "yes", card) is not None


class TestUndo:
    async def test_takes_a_block_back_once_without_a_pin(self, ledger: SqlLedger, clock: Clock) -> None:
        record = await done(ledger, MAYA, BLOCK, await card_of(ledger, MAYA))
        clock.advance(minutes=2)
        undone = await ledger.undo(record.wish_id)
        assert undone is not None
        assert (undone.operation, undone.card.state, undone.changed) == (Operation.UNBLOCK, CardState.ACTIVE, True)
        assert await card_of(ledger, MAYA) == undone.card
        assert await ledger.undo(record.wish_id) == undone
        assert (await card_of(ledger, MAYA)).version == undone.card.version
        assert (await ledger.audit_trail())[-1].entry.event == "undone"
        newest = (await ledger.view(MAYA, "call")).wishes[0]
        assert (newest.state, newest.record) == (WishState.DONE, undone)

    @pytest.mark.parametrize("reason", ["too late", "card changed", "was blocked before", "open", "lost", "unknown"])
    async def test_of_anything_else_writes_nothing(self, ledger: SqlLedger, clock: Clock, reason: str) -> None:
        card = await card_of(ledger, MAYA)
        if reason == "was blocked before":
            card = (await done(ledger, MAYA, BLOCK, card, "an earlier call")).card
        if reason == "open":
            wish_id = (await asked(ledger)).id
        elif reason == "unknown":
            wish_id = "no such wish"
        else:
            operation = Operation.REPORT_LOST if reason == "lost" else BLOCK
            wish_id = (await done(ledger, MAYA, operation, card)).wish_id
        if reason == "too late":
            clock.advance(minutes=2, seconds=1)
        if reason == "card changed":
            await prove(ledger, MAYA)
            await done(ledger, MAYA, Operation.UNBLOCK, await card_of(ledger, MAYA))
        before = await card_of(ledger, MAYA), await ledger.audit_trail()
        assert await ledger.undo(wish_id) is None
        assert (await card_of(ledger, MAYA), await ledger.audit_trail()) == before


class TestTheEndOfACall:
    async def test_drops_the_open_question_and_the_proof(self, ledger: SqlLedger) -> None:
        await prove(ledger, MAYA)
        await asked(ledger)
        await ledger.end_conversation("call")
        view = await ledger.view(MAYA, "call")
        assert (view.wishes[0].state, view.proof) == (WishState.DROPPED, None)

    async def test_ends_what_settles_but_a_block(self, ledger: SqlLedger, clock: Clock) -> None:
        card = await card_of(ledger, MAYA)
        wish = await ledger.ask("call", MAYA, Operation.REPORT_LOST, card, confirm(card))
        await ledger.settle(wish.id, "yes", clock.now, 3 * SECOND)
        await ledger.end_conversation("call")
        assert not await ledger.reopen(wish.id, "yes")
        assert await ledger.settle(wish.id, "yes", clock.now, SECOND) is None
        assert await ledger.commit(wish.id, "yes", card) is None

    async def test_lets_a_settling_block_go_on(self, ledger: SqlLedger) -> None:
        card = await card_of(ledger, MAYA)
        wish = await settled(ledger, MAYA, BLOCK, card)
        await ledger.end_conversation("call")
        assert await ledger.commit(wish.id, "yes", card) is not None


async def test_another_caller_in_the_conversation_ends_the_formers_wish_and_proof(ledger: SqlLedger) -> None:
    await prove(ledger, MAYA)
    mine = await asked(ledger)
    card = await card_of(ledger, TOMAS)
    await ledger.ask("call", TOMAS, BLOCK, card, confirm(card))
    view = await ledger.view(MAYA, "call")
    assert view.proof is None
    assert {wish.id: wish.state for wish in view.wishes}[mine.id] is WishState.DROPPED


@pytest.mark.parametrize("conversation", ["x" * 5_000, "with a \x00 in it", "half a \ud83d character"])
async def test_a_conversation_may_have_any_name(ledger: SqlLedger, conversation: str) -> None:
    card = await card_of(ledger, MAYA)
    wish = await ledger.ask(conversation, MAYA, BLOCK, card, confirm(card))
    await prove(ledger, MAYA, conversation)
    view = await ledger.view(MAYA, conversation)
    assert [seen.id for seen in view.wishes] == [wish.id]
    assert view.proof is not None
