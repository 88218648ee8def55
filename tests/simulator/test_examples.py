"""The calls of examples/calls and of the page about scripts, in process: two replicas, one ledger, virtual time."""

import re
import shutil
from pathlib import Path

import pytest

from simulator import virtual_time
from simulator.player import Player
from simulator.reading import parse_script, read_script
from simulator.report import CallReport
from tests.support.server import ROOT
from tests.support.virtual_time import Replicas, replicas, run

CALLS = sorted((ROOT / "examples" / "calls").glob("*.yaml"))
PAGE = (ROOT / "docs" / "call_scripts.md").read_text("utf-8")

SCRIPTS = {
    **{file.stem: read_script(file) for file in CALLS},
    **{
        f"page-{place}": parse_script(text)
        for place, text in enumerate(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
    },
}


async def play(name: str, bank: Replicas) -> CallReport:
    await bank.reset()
    ids = (f"{name}-{number}" for number in range(1, 100))
    player = Player(
        SCRIPTS[name],
        bank.line,
        clock=virtual_time.now,
        read_ledger=bank.ledger,
        new_call_id=lambda: next(ids),
    )
    report = await player.play()
    await bank.at_rest()
    return report


@pytest.fixture(scope="module")
def reports(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, CallReport]:
    """All calls, one after the other, each on a demo ledger as at its beginning."""
    data_dir = shutil.copytree(bank, tmp_path_factory.mktemp("calls") / "data")

    async def play_all() -> dict[str, CallReport]:
        async with replicas(data_dir, 2) as bank:
            return {name: await play(name, bank) for name in SCRIPTS}

    return run(play_all())


def test_there_are_twenty_calls_and_more() -> None:
    assert len(CALLS) >= 20
    assert len([name for name in SCRIPTS if name.startswith("page")]) == 2


@pytest.mark.parametrize("name", list(SCRIPTS))
def test_a_call_goes_as_its_script_expects(name: str, reports: dict[str, CallReport]) -> None:
    checks = reports[name].checks
    assert checks, "a script that expects nothing shows nothing"
    assert [check for check in checks if not check.met] == []


def test_the_same_call_goes_the_same_way_again(reports: dict[str, CallReport], bank: Path, tmp_path: Path) -> None:
    data_dir = shutil.copytree(bank, tmp_path / "data")

    async def again() -> CallReport:
        async with replicas(data_dir, 2) as bank:
            return await play("speculation_storm", bank)

    assert run(again()).turns == reports["speculation_storm"].turns
