"""What a configuration must say about the ledger, and what a start does with an empty one."""

from pathlib import Path

import pytest

from teller.cards.demo import listing
from teller.cards.sql_ledger import SqlLedger
from teller.errors import ConfigurationError, LedgerUnavailableError
from teller.services import open_ledger
from teller.settings import Settings
from tests.support.ledger import Target

URL = "postgresql://teller:secret@db/teller"
SECRETS = {"PIN_PEPPER": "a pepper", "AUDIT_KEY": "a key"}


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with nothing of this machine's in it."""
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", *SECRETS, "SAMPLE_BANK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    return monkeypatch


def url_of(target: Target) -> str:
    return target if isinstance(target, str) else f"sqlite:///{target}"


@pytest.mark.parametrize("url", [URL, URL.replace("postgresql", "postgresql+asyncpg")])
@pytest.mark.parametrize("given", [(), ("PIN_PEPPER",), ("AUDIT_KEY",)])
def test_postgresql_needs_both_secrets_and_says_so_in_one_line(
    configured: pytest.MonkeyPatch, url: str, given: tuple[str, ...]
) -> None:
    configured.setenv("DATABASE_URL", url)
    for name in given:
        configured.setenv(name, SECRETS[name])
    with pytest.raises(ConfigurationError) as wrong:
        Settings.load()
    message = str(wrong.value)
    assert "\n" not in message
    assert "secret" not in message.replace("secrets", "")
    assert all((name in message) == (name not in given) for name in SECRETS)


def test_postgresql_with_both_secrets_and_sqlite_without_any_are_fine(configured: pytest.MonkeyPatch) -> None:
    assert not Settings.load().on_postgresql
    for name, value in (SECRETS | {"DATABASE_URL": URL}).items():
        configured.setenv(name, value)
    assert Settings.load().on_postgresql


async def opened(configured: pytest.MonkeyPatch, target: Target, **more: str) -> SqlLedger:
    for name, value in (SECRETS | {"DATABASE_URL": url_of(target)} | more).items():
        configured.setenv(name, value)
    return await open_ledger(Settings.load())


async def test_an_empty_ledger_is_given_the_demo(configured: pytest.MonkeyPatch, empty: Target) -> None:
    ledger = await opened(configured, empty)
    assert len(await listing(ledger)) == 10
    await ledger.close()


async def test_on_postgresql_without_the_sample_bank_it_stays_empty(
    configured: pytest.MonkeyPatch, empty: Target
) -> None:
    ledger = await opened(configured, empty, SAMPLE_BANK="off")
    assert len(await listing(ledger)) == (0 if isinstance(empty, str) else 10)
    await ledger.close()


async def test_a_server_that_is_not_there_is_told_without_the_password(configured: pytest.MonkeyPatch) -> None:
    with pytest.raises(LedgerUnavailableError) as failure:
        await opened(configured, "postgresql://teller:secret@127.0.0.1:1/teller")
    assert "127.0.0.1:1" in str(failure.value)
    assert "secret" not in str(failure.value)
