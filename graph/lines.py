"""The fixed lines of `prompts/lines.yaml`."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import yaml
from pydantic import TypeAdapter

from teller.cards.dialogue import Turn, last_said
from teller.cards.spoken import heard_words

_FILE = Path(__file__).parent.parent / "prompts" / "lines.yaml"


@cache
def _lines() -> dict[str, list[str]]:
    return TypeAdapter(dict[str, list[str]]).validate_python(yaml.safe_load(_FILE.read_text("utf-8")))


def line(name: str, turn: int = 0) -> str:
    """Return a fixed line; where there are several they take turns by the number of the user's turn."""
    variants = _lines()[name]
    return variants[turn % len(variants)]


def has_line(name: str) -> bool:
    """Return whether there is a line of that name."""
    return name in _lines()


def all_lines(name: str) -> list[str]:
    """Return all variants of a line."""
    return _lines()[name]


@cache
def fillers() -> tuple[str, ...]:
    """Return what is said to fill a silence: in a history it ends no question."""
    return tuple(text for name, variants in _lines().items() if name.startswith("filler") for text in variants)


def failed_before(history: Sequence[Turn]) -> bool:
    """Return whether the last thing that the caller heard was that his question can't be answered."""
    said = " ".join(heard_words(last_said(history)))
    failures = [*all_lines("not_in_documents"), *all_lines("search_failed")]
    return any(" ".join(heard_words(failure)) in said for failure in failures)
