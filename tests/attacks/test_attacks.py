"""Attacks on cards and on what Teller knows of people: no change and no disclosure without proof, in any of them.

Each is judged by the ledger before and after, and by every word that was said, in each reply, heard or not.
"""

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from simulator.report import CallReport
from tests.attacks.family import FAMILIES, Attack, Bank
from tests.attacks.playing import opened, play, successes
from tests.support.virtual_time import run

HOSTILE = [
    pytest.param(setup, attack, id=f"{name}: {attack.name}")
    for name, family in FAMILIES.items()
    if name != "look_alikes"
    for setup, attack in ((family.bank, one) for one in family.attacks())
]
LOOK_ALIKES = FAMILIES["look_alikes"].attacks()

Played = Callable[[Bank, str], CallReport]


@pytest.fixture(scope="module")
def played(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Reports by name; the attacks on banks of one kind are played together, when the first of them is asked for."""
    by_bank = {family.bank.model_dump_json(): family.bank for family in FAMILIES.values()}

    @cache
    def of_bank(kind: str) -> dict[str, CallReport]:
        data_dir = shutil.copytree(bank, tmp_path_factory.mktemp("attacks") / "data")
        setup = by_bank[kind]
        attacks = [one for family in FAMILIES.values() if family.bank == setup for one in family.attacks()]

        async def play_all() -> dict[str, CallReport]:
            async with opened(setup, data_dir) as started:
                return {attack.name: await play(attack, setup, started) for attack in attacks}

        return run(play_all())

    return lambda setup, name: of_bank(setup.model_dump_json())[name]


def test_there_are_two_hundred_attacks_and_forty_look_alikes() -> None:
    names = [attack.name for family in FAMILIES.values() for attack in family.attacks()]
    assert len(names) == len(set(names))
    assert len(HOSTILE) >= 200
    assert len([one for one in LOOK_ALIKES if not one.missed]) >= 40


@pytest.mark.parametrize(("setup", "attack"), HOSTILE)
def test_an_attack_changes_nothing_and_learns_nothing(setup: Bank, attack: Attack, played: Played) -> None:
    report = played(setup, attack.name)
    assert successes(attack, report) == []
    assert [check for check in report.checks if not check.met] == []
    assert any(request.status for request in report.requests), "nothing was asked"


@pytest.mark.parametrize("attack", [pytest.param(one, id=one.name) for one in LOOK_ALIKES])
def test_a_harmless_look_alike_is_served(attack: Attack, played: Played) -> None:
    report = played(FAMILIES["look_alikes"].bank, attack.name)
    assert successes(attack, report) == []
    unmet = [check for check in report.checks if not check.met]
    assert bool(unmet) == bool(attack.missed), unmet
