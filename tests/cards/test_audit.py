"""What the audit trail promises: it tells all that happened, names nobody, and shows when it was tampered with."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from teller.cards.audit import GENESIS, AuditEntry, AuditRow, ChainCheck, Verdict, pseudonym, sealed
from teller.cards.records import Operation
from teller.cards.sql_ledger import SqlLedger
from tests.support.audit_chain import first_broken
from tests.support.ledger import AUDIT_KEY, MAYA, TOMAS, Target, card_of, confirm, sql, without_trigger

KEY = b"key"


def chain(length: int) -> list[AuditRow]:
    rows: list[AuditRow] = []
    for seq in range(1, length + 1):
        at = datetime(2026, 11, 25, 12, seq, tzinfo=UTC)
        entry = AuditEntry(seq, at, "refused", pseudonym(MAYA, KEY), None, {"reason": f"number {seq}"})
        rows.append(sealed(entry, rows[-1].mac if rows else GENESIS, KEY))
    return rows


class TestChain:
    def test_that_nobody_touched_is_whole(self) -> None:
        assert first_broken(chain(5), KEY) is None
        assert first_broken([], KEY) is None

    @pytest.mark.parametrize(
        "change",
        [
            {"at": datetime(2026, 11, 25, 12, 4, tzinfo=UTC)},
            {"event": "committed"},
            {"subject": pseudonym(TOMAS, KEY)},
            {"wish_id": "another"},
            {"detail": {"reason": "number 4"}},
        ],
    )
    def test_breaks_at_a_row_that_was_altered(self, change: dict[str, object]) -> None:
        rows = chain(5)
        rows[2] = replace(rows[2], entry=replace(rows[2].entry, **change))  # type: ignore[arg-type]
        assert first_broken(rows, KEY) == 3

    def test_breaks_at_a_row_that_was_told_to_follow_another(self) -> None:
        rows = chain(5)
        rows[2] = replace(rows[2], previous_mac=rows[0].mac)
        assert first_broken(rows, KEY) == 3

    def test_breaks_after_a_row_that_is_missing(self) -> None:
        assert first_broken(chain(5)[1:], KEY) == 2
        rows = chain(5)
        assert first_broken(rows[:2] + rows[3:], KEY) == 4

    def test_breaks_where_rows_changed_places(self) -> None:
        rows = chain(5)
        assert first_broken([rows[0], rows[2], rows[1], *rows[3:]], KEY) == 3

    def test_cannot_be_forged_without_the_key(self) -> None:
        rows = chain(5)
        rows[4] = sealed(replace(rows[4].entry, event="committed"), rows[3].mac, b"a guess")
        assert first_broken(rows, KEY) == 5

    def test_does_not_depend_on_the_order_in_which_a_database_keeps_the_details(self) -> None:
        entry = AuditEntry(1, datetime(2026, 11, 25, tzinfo=UTC), "refused", None, None, {"a": 1, "b": True})
        assert sealed(entry, GENESIS, KEY).mac == sealed(replace(entry, detail={"b": True, "a": 1}), GENESIS, KEY).mac


def verified(rows: list[AuditRow], key: bytes, head: str = "") -> Verdict:
    """What a check says that gets the rows in batches of two."""
    check = ChainCheck(key, head)
    for first in range(0, len(rows), 2):
        check.follow(rows[first : first + 2])
    return check.verdict()


class TestVerdict:
    def test_of_a_whole_chain_tells_its_length_and_head(self) -> None:
        rows = chain(5)
        verdict = verified(rows, KEY)
        assert verdict.whole
        assert verdict.text == f"The chain is whole: 5 rows, head {rows[-1].mac}"

    def test_of_a_chain_that_grew_since_the_head_was_noted_is_good(self) -> None:
        rows = chain(5)
        assert verified(rows, KEY, rows[2].mac).whole

    @pytest.mark.parametrize("left", [0, 2, 4])
    def test_finds_an_end_that_was_cut_off_by_the_head(self, left: int) -> None:
        rows = chain(5)
        assert verified(rows[:left], KEY).whole
        assert not verified(rows[:left], KEY, rows[4].mac).whole

    def test_finds_a_row_that_was_put_in_between(self) -> None:
        rows = chain(5)
        extra = sealed(replace(rows[2].entry, detail={"reason": "never said"}), rows[1].mac, b"a guess")
        verdict = verified([*rows[:2], extra, *rows[2:]], KEY)
        assert (verdict.whole, "row 3" in verdict.text) == (False, True)


def test_a_pseudonym_is_the_same_for_one_person_one_key_and_one_salt_only() -> None:
    assert pseudonym(MAYA, KEY) == pseudonym(MAYA, KEY)
    names = {pseudonym(MAYA, KEY), pseudonym(TOMAS, KEY), pseudonym(MAYA, b"other"), pseudonym(MAYA, KEY, "0a1b")}
    assert len(names) == 4


def salt_of(target: Target, phone: str) -> str:
    (row,) = sql(target, "SELECT pseudonym_salt FROM holder WHERE phone = ?", phone)
    return str(row[0])


class TestTrail:
    async def test_tells_every_step_of_a_wish_in_the_order_of_time(self, ledger: SqlLedger, target: Target) -> None:
        card = await card_of(ledger, MAYA)
        wish = await ledger.ask("call", MAYA, Operation.BLOCK, card, confirm(card))
        await ledger.settle(wish.id, "yes")
        await ledger.commit(wish.id, "yes", card)
        unblock = await ledger.ask("call", MAYA, Operation.UNBLOCK, None, confirm(card))
        await ledger.drop(unblock.id)
        await ledger.refuse(MAYA, Operation.UNBLOCK, "not offered")
        await ledger.refuse(None, None, "no number")
        rows = await ledger.audit_trail()
        assert [row.entry.event for row in rows] == [
            *("seeded", "asked", "settled", "committed", "asked", "dropped", "refused", "refused")
        ]
        assert {row.entry.wish_id for row in rows[1:4]} == {wish.id}
        assert {row.entry.subject for row in rows[1:7]} == {pseudonym(MAYA, AUDIT_KEY, salt_of(target, MAYA))}
        assert rows[3].entry.detail == {
            "operation": "block",
            "last4": "1881",
            "state": "blocked",
            "version": 2,
            "changed": True,
        }
        assert rows[6].entry.detail == {"operation": "unblock", "reason": "not offered"}
        assert rows[7].entry.subject is None
        assert first_broken(rows, AUDIT_KEY) is None

    async def test_holds_no_phone_number_no_token_and_no_conversation(self, ledger: SqlLedger, target: Target) -> None:
        card = await card_of(ledger, MAYA)
        conversation = f"key {MAYA} 0a1b"
        await ledger.ask(conversation, MAYA, Operation.BLOCK, card, confirm(card))
        await ledger.commit_direct(conversation, MAYA, Operation.BLOCK, card)
        text = json.dumps(sql(target, "SELECT * FROM audit"), default=str)
        assert MAYA.removeprefix("+") not in text
        assert card.token not in text
        assert "Maya" not in text

    async def test_shows_an_edit_of_the_file_by_somebody_who_took_the_triggers_away(
        self, ledger: SqlLedger, target: Target
    ) -> None:
        for reason in ("one", "two", "three"):
            await ledger.refuse(MAYA, None, reason)
        without_trigger(target, "audit_no_update", "audit")
        sql(target, """UPDATE audit SET detail = '{"operation": null, "reason": "four"}' WHERE seq = 3""")
        assert first_broken(await ledger.audit_trail(), AUDIT_KEY) == 3
