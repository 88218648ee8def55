"""A table row as it is said: its cells word for word, with the names of their columns, so that it reads aloud."""

import re
from collections.abc import Sequence

_GENERIC_COLUMN = re.compile(r"(?:values?|details?|description|information|answer)$", re.IGNORECASE)
_GENERIC_NAME = re.compile(r"(?:item|name|#|no\.?|specification)$", re.IGNORECASE)
_PROPER_COLUMN = re.compile(  # keeps its capital inside a sentence
    r"[A-Z]{2}|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|January|February|March|April|May|June|July|August|September"
    r"|October|November|December"
)
_NUMBER = re.compile(r"\d")


def told(cells: Sequence[tuple[str, str]]) -> str:
    """Return a table row as it is said: the first cell names it, a value in words stands behind a colon.

    For example "Gold Mastercard: annual fee $95, purchase APR 18.99%.", "Travel Visa, foreign fee: None." or, where
    the first cell is a bare number, "Credit score 700 to 739: APR 11.99%."
    """
    (name_column, name), *rest = cells
    name = _named(name_column, name)
    if any(
        _NUMBER.search(column) or "," in column for column, _ in rest
    ):  # "1 year, $500 to $999: 4%; $1,000 and up: 5%"
        return _ended(f"{name}, " + "; ".join(f"{_column(column)}: {value}" for column, value in rest))
    if len(rest) == 1 and _GENERIC_COLUMN.match(rest[0][0]):
        values = rest[0][1]
    elif len(rest) == 1 and rest[0][0] and not _NUMBER.search(rest[0][1]) and not name.endswith("?"):
        column = _column(rest[0][0])
        return _ended(f"{name} ({column}): {rest[0][1]}" if "," in name else f"{name}, {column}: {rest[0][1]}")
    else:
        values = ", ".join(_value(column, value) for column, value in rest)
    return _ended(f"{name} {values}" if name.endswith("?") else f"{name}: {values}")


def _named(column: str, name: str) -> str:
    """Return a row's name, with its column's where it is a number and says little alone."""
    says_little = bool(_NUMBER.match(name)) and not _GENERIC_NAME.match(column)
    return f"{column} {name}" if says_little and column else name


def _value(column: str, value: str) -> str:
    joint = " " if _NUMBER.search(value) or not column else ": "
    return f"{_column(column)}{joint}{value}".strip()


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _column(name: str) -> str:
    """Return a column's name as it stands inside a sentence: "annual fee", but "APR", "Sunday", "Larkfield Savings"."""
    others = name.split()[1:]
    proper = _PROPER_COLUMN.match(name) or any(word[0].isupper() and not word.isupper() for word in others)
    return name if proper else name[:1].lower() + name[1:]
