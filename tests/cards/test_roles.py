"""PostgreSQL with a role of its own for the server, granted as docs/card_system_adapter.md says."""

import re
from collections.abc import Iterator

import pytest

from teller.cards.records import Operation
from tests.support.ledger import (
    MAYA,
    REFUSED_BY_DATABASE,
    Clock,
    card_of,
    demo_database,
    done,
    open_ledger,
    prove,
    sql,
)
from tests.support.postgres import Postgres
from tests.support.server import ROOT


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    """The demo's database, as the server's role sees it."""
    owner = postgres.create(demo_database(postgres))
    page = (ROOT / "docs" / "card_system_adapter.md").read_text("utf-8")
    grants = re.findall(r"^GRANT .*;$", page, re.MULTILINE)
    assert len(grants) == 4
    sql(owner, "CREATE ROLE teller_server LOGIN")
    for grant in grants:
        sql(owner, grant)
    yield owner.replace("postgres@", "teller_server@")
    postgres.drop(owner)
    sql(postgres.url("postgres"), "DROP ROLE teller_server")


async def test_the_servers_role_can_do_all_that_teller_does(url: str, clock: Clock) -> None:
    ledger = await open_ledger(url, clock)
    await prove(ledger, MAYA)
    assert (await done(ledger, MAYA, Operation.BLOCK, await card_of(ledger, MAYA))).changed
    assert (await done(ledger, MAYA, Operation.REPORT_LOST, await card_of(ledger, MAYA))).changed
    await ledger.disclose("call", MAYA, Operation.TRANSACTIONS, await card_of(ledger, MAYA, 1))
    await ledger.forget_old()
    assert await ledger.erase(MAYA)
    await ledger.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET event = 'refused'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "DROP TRIGGER audit_no_delete ON audit",
        "ALTER TABLE audit DISABLE TRIGGER ALL",
    ],
)
def test_the_servers_role_can_rewrite_no_past(url: str, statement: str) -> None:
    with pytest.raises(REFUSED_BY_DATABASE, match=r"permission denied|must be owner"):
        sql(url, statement)
