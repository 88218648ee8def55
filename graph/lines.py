"""The fixed lines of `prompts/lines.yaml`."""

from functools import cache
from pathlib import Path

import yaml
from pydantic import TypeAdapter

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
