"""The policy table: each of its cells, by what the ledger does."""

from dataclasses import replace

import pytest

from graph.card import refused
from teller.caller import Caller, Trust
from teller.cards.ledger import NotProvenError
from teller.cards.policy import POLICY, TRANSITIONS, fits, next_state
from teller.cards.policy_page import PAGE, page
from teller.cards.records import Card, CardState, Operation
from teller.cards.sql_ledger import SqlLedger
from tests.support.ledger import JONAS, MAYA, PRIYA, RUTH, card_of, confirm, prove, settled

HAS_CARD_IN = {
    CardState.INACTIVE: PRIYA,
    CardState.ACTIVE: MAYA,
    CardState.BLOCKED: RUTH,
    CardState.CLOSED: JONAS,
}
WRITES = list(TRANSITIONS)
READS = [operation for operation in POLICY if operation not in TRANSITIONS]
CELLS = [(operation, state) for operation in WRITES for state in CardState]


def lawful_card(operation: Operation) -> str:
    """Who has a card that the operation would change."""
    return HAS_CARD_IN[next(iter(TRANSITIONS[operation]))]


def test_every_operation_has_its_rule() -> None:
    assert POLICY.keys() == set(Operation)


@pytest.mark.parametrize(("operation", "state"), CELLS)
async def test_what_becomes_of_a_card(ledger: SqlLedger, operation: Operation, state: CardState) -> None:
    phone = HAS_CARD_IN[state]
    card = await card_of(ledger, phone)
    await prove(ledger, phone)
    wish = await settled(ledger, phone, operation, card)
    if next_state(operation, state) is not None:
        record = await ledger.commit(wish.id, "yes", card)
        assert record is not None
        assert (record.changed, record.card.state) == (True, TRANSITIONS[operation][state])
    elif state in TRANSITIONS[operation].values():
        record = await ledger.commit(wish.id, "yes", card)
        assert record is not None
        assert (record.changed, record.card) == (False, card)
    else:
        with pytest.raises(ValueError, match="does not write"):
            await ledger.commit(wish.id, "yes", card)
        assert await card_of(ledger, phone) == card


@pytest.mark.parametrize("operation", WRITES)
async def test_proof(ledger: SqlLedger, operation: Operation) -> None:
    phone = lawful_card(operation)
    card = await card_of(ledger, phone)
    wish = await settled(ledger, phone, operation, card)
    if POLICY[operation].proof == "pin":
        with pytest.raises(NotProvenError):
            await ledger.commit(wish.id, "yes", card)
        assert await card_of(ledger, phone) == card
        await prove(ledger, phone)
    assert await ledger.commit(wish.id, "yes", card) is not None


@pytest.mark.parametrize("operation", WRITES)
async def test_asks_first_in_chat(ledger: SqlLedger, operation: Operation) -> None:
    phone = lawful_card(operation)
    card = await card_of(ledger, phone)
    await prove(ledger, phone)
    if POLICY[operation].chat == "yes":
        with pytest.raises(ValueError, match="asks before it writes"):
            await ledger.commit_direct("call", phone, operation, card)
        unnamed = replace(confirm(card), kind="card", card_token=None)
        wish = await ledger.ask("call", phone, operation, card, unnamed)
        await ledger.settle(wish.id, "yes")
        assert await ledger.commit(wish.id, "yes", card) is None
        assert await card_of(ledger, phone) == card
    else:
        assert await ledger.commit_direct("call", phone, operation, card) is not None


def test_voice_asks_before_every_write() -> None:
    assert {POLICY[operation].voice for operation in WRITES} == {"yes"}
    assert {(POLICY[operation].voice, POLICY[operation].chat) for operation in READS} == {("no", "no")}


@pytest.mark.parametrize("operation", READS)
async def test_what_is_only_told_never_writes(ledger: SqlLedger, operation: Operation) -> None:
    card, trail = await card_of(ledger, MAYA), await ledger.audit_trail()
    with pytest.raises(ValueError, match="does not write"):
        await ledger.commit_direct("call", MAYA, operation, card)
    assert await ledger.audit_trail() == trail


@pytest.mark.parametrize("trust", list(Trust))
@pytest.mark.parametrize("least", list(Trust))
@pytest.mark.parametrize("operation", list(Operation))
def test_caller(operation: Operation, least: Trust, trust: Trust) -> None:
    enough = trust.reaches(least) and trust.reaches(POLICY[operation].caller)
    caller = Caller(phone=MAYA, trust=trust)
    assert refused(caller, operation, least) == (None if enough else "not_trusted")


async def test_a_card_fits_once_for_a_replacement(ledger: SqlLedger) -> None:
    card: Card = await card_of(ledger, MAYA)
    assert fits(Operation.REPLACE, card)
    assert not fits(Operation.REPLACE, replace(card, replacement="another"))
    assert fits(Operation.REPORT_LOST, replace(card, replacement="another"))


def test_the_page_is_made_from_the_table() -> None:
    assert PAGE.read_text("utf-8") == page(), "run python -m teller.cards.policy_page"
