"""SECURITY.md names files and names in them, and counts: all of it is there."""

import re

import pytest

from tests.attacks.family import FAMILIES
from tests.support.server import ROOT

PAGE = (ROOT / "SECURITY.md").read_text("utf-8")
REFERENCES = sorted(set(re.findall(r"`([a-z_]+/[a-zA-Z0-9_./-]+(?::\w+)?)`", PAGE)))
LINKS = sorted(set(re.findall(r"\]\(([^)]+)\)", PAGE)))


def test_there_are_references() -> None:
    assert len(REFERENCES) > 30


@pytest.mark.parametrize("reference", REFERENCES)
def test_a_reference_exists(reference: str) -> None:
    path, _, name = reference.partition(":")
    assert (ROOT / path).exists()
    if name:
        text = (ROOT / path).read_text("utf-8")
        assert re.search(rf"^\s*(?:async def|def|class) {name}\b|^{name}\b", text, re.MULTILINE)


@pytest.mark.parametrize("link", LINKS)
def test_a_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


def test_the_page_counts_the_attacks() -> None:
    attacks = sum(len(family.attacks()) for name, family in FAMILIES.items() if name != "look_alikes")
    assert f"{attacks} attack scripts" in PAGE


def test_every_family_of_attacks_is_on_the_page() -> None:
    told = {"asserted_trust", "claimed_identity", "probing", "stolen_key", "urgency_and_authority", "very_long"}
    named = {name for name in FAMILIES if f"tests/attacks/{name}.yaml" in PAGE}
    assert set(FAMILIES) - named - told == {"look_alikes"}
