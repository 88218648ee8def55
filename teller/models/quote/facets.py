"""The amounts, terms, percentages, ages, weekdays, days of the year and years that a text names, as ranges.

A question's facets choose between the rows and columns of a table ("48 months" lies in "37 to 60 months"), and tell
a near miss: "a four year bond" is not one of those for one, two and five.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from teller.models.quote.calendar_words import days_named, without_days

Kind = Literal["money", "months", "percent", "age", "year", "number", "size", "weekday", "date"]

_WORDS = {
    word: float(value)
    for value, words in {
        0.5: "half", 1: "one single", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight",
        9: "nine", 10: "ten", 11: "eleven", 12: "twelve", 13: "thirteen", 14: "fourteen", 15: "fifteen",
        16: "sixteen", 17: "seventeen", 18: "eighteen", 19: "nineteen", 20: "twenty", 24: "twenty-four",
        25: "twenty-five", 30: "thirty", 36: "thirty-six", 40: "forty", 48: "forty-eight", 50: "fifty", 60: "sixty",
        70: "seventy", 80: "eighty", 90: "ninety",
    }.items()
    for word in words.split()
}  # fmt: skip
_SIZE = re.compile(r"\b(\d+)\s*(?:x|\u00d7|by)\s*(\d+)\b", re.IGNORECASE)
_NAMING = re.compile(r"(?:[2-9]|\d\d+|[a-z]+)[ -](?:year|month)$", re.IGNORECASE)
_OF_YEAR = re.compile(r"(?:\b(?:in|during|for|of|day|eve|year)|^)\s+$", re.IGNORECASE)
_UNSAID = re.compile(  # clock times, telephone numbers, ordinals, sizes: no amounts of anything
    r"\d{1,2}(?:[:.]\d\d)?\s*[ap]\.?m\b\.?|\b\d{1,2}:\d\d\b|\+?\b\d{2,4}(?:[ -]\d{2,4}){2,}\b|\b\d{3}-\d{4}\b"
    r"|\b\d+(?:st|nd|rd|th)\b|\b[A-Za-z]{1,3}\d+\b|\b\d+(?:\s*[x\u00d7]\s*\d+)+\b",
    re.IGNORECASE,
)
_BY_LENGTH = "|".join(sorted(_WORDS, key=len, reverse=True))
_NUMBER = re.compile(
    rf"""(?P<sign>[$\u00a3\u20ac]\s?|\b(?:EUR|USD|GBP|CHF)\s?)?(?<![\w.])(?P<number>\d[\d,]*(?:\.\d+)?|\b(?:{_BY_LENGTH})\b)
    (?P<scale>\s?(?:k|thousand|grand|m|million)\b)?
    (?:[\s-]{{0,2}}(?P<unit>%|per\ ?cent\b|percent\b|pounds?\b|dollars?\b|euros?\b|bucks\b|quid\b
    |(?:years?|yrs?)(?:[\s-]olds?|\ of\ age)\b
    |years?\b|yrs?\b|months?\b|mo\b|(?:business\ |working\ |calendar\ )?(?:days?|weeks?)\b|hours?\b|minutes?\b
    |points?\b|times?\b|cents?\b|p\b|miles?\b))?""",
    re.IGNORECASE | re.VERBOSE,
)
_SCALES = {"k": 1e3, "thousand": 1e3, "grand": 1e3, "m": 1e6, "million": 1e6}
_BELOW = re.compile(r"\b(?:under|below|(?:less|shorter|younger|fewer|smaller|lower) than)\s*$", re.IGNORECASE)
_AT_MOST = re.compile(
    r"\b(?:up to|at most|not? (?:more|over|longer) than|within|first|never over|maximum(?: of)?)\s*(?:an?|the)?\s*$",
    re.IGNORECASE,
)
_ABOVE = re.compile(r"\b(?:over|above|exceeding|(?:more|longer|older|higher) than)\s*$", re.IGNORECASE)
_AT_LEAST = re.compile(r"\b(?:from|at least|minimum(?: of)?|no (?:less|fewer) than)\s*$", re.IGNORECASE)
_AND_MORE = re.compile(r"\s*(?:\+|(?:and|or)\s+(?:over|above|more|up|upwards?|older|longer)\b)", re.IGNORECASE)
_AND_LESS = re.compile(r"\s*(?:and|or)\s+(?:under|below|less|younger|shorter|fewer)\b", re.IGNORECASE)
_TO = re.compile(r"\s*(?:-|\u2013|\u2014|to|up to|through|until)\s*\(?$", re.IGNORECASE)
_AND = re.compile(r"\s*and\s*$", re.IGNORECASE)
_LISTED = re.compile(r"\s*(?:,|and|or|,\s*and|,\s*or)?\s*", re.IGNORECASE)
_BETWEEN = re.compile(r"\bbetween\s*$", re.IGNORECASE)
_AGED = re.compile(r"\bage[ds]?:?\s*$", re.IGNORECASE)
_FIRST_YEAR, _LAST_YEAR = 1950, 2100
_LEAST_MONEY = 1000.0  # a bare number as round and as large as this is an amount of money
_LITTLE = 0.001


@dataclass(frozen=True, slots=True)
class Facet:
    """From `low` to `high`, both included: dollars or pounds, months, percent, years of age, days as month * 100 + day.

    `said` are the words that name it, as they stand in the text; `names`: it stands before what it tells apart, as in
    "the *four year* bond".
    """

    kind: Kind
    low: float
    high: float
    said: str = ""
    names: bool = False

    def meets(self, other: "Facet") -> bool:
        """Return whether two facets overlap and are of one kind; a bare number may be of any kind but money."""
        kinds = {self.kind, other.kind}
        alike = len(kinds) == 1 or ("number" in kinds and kinds <= {"number", "months", "age", "percent", "year"})
        return alike and self.low <= other.high and other.low <= self.high


@dataclass(slots=True)
class _Amount:
    """A number as it stands: with its kind, if it says one, and the size of its unit."""

    kind: Kind | Literal["", "other"]
    value: float
    scale: float
    start: int
    end: int
    low: float | None = None


@lru_cache(maxsize=20_000)
def facets(text: str) -> tuple[Facet, ...]:
    """Return what a text names, in the order of the kinds and then of the text."""
    days = tuple(Facet(kind, low, high, said) for kind, low, high, said in days_named(text))
    rest = _UNSAID.sub(lambda found: " " * len(found[0]), without_days(text))
    return (*days, *_sizes(text), *_numbers(rest))


def _sizes(text: str) -> Iterator[Facet]:
    for found in _SIZE.finditer(text):
        area = float(found[1]) * 10_000 + float(found[2])
        yield Facet("size", area, area, found[0], names=True)


def _numbers(text: str) -> Iterator[Facet]:
    joined: list[_Amount] = []
    for amount in _amounts(text):
        before = joined[-1] if joined else None
        if before and before.low is None and _are_range(text, before, amount):
            joined[-1] = _range(before, amount)
        else:
            joined.append(amount)
    _share_units(text, joined)
    for amount in joined:
        kind = amount.kind or _bare(amount)
        if kind != "other":
            low, high = _bounds(text, amount)
            said = text[amount.start : amount.end]
            year = kind == "year" and _OF_YEAR.search(text[: amount.start])
            yield Facet(kind, low, high, said, names=bool(year) or (kind == "months" and bool(_NAMING.fullmatch(said))))


def _share_units(text: str, amounts: list[_Amount]) -> None:
    """Give a number without a unit that of the next one in its list: "5, 10 and 15 years"."""
    for i in range(len(amounts) - 2, -1, -1):
        one, after = amounts[i], amounts[i + 1]
        bare = not one.kind and one.low is None and after.kind in ("months", "percent", "age", "other")
        if bare and _LISTED.fullmatch(text[one.end : after.start]):
            amounts[i] = replace(one, kind=after.kind, value=one.value * after.scale, scale=after.scale)


def _amounts(text: str) -> Iterator[_Amount]:
    for found in _NUMBER.finditer(text):
        said = found["number"].lower()
        unit, sign = (found["unit"] or "").lower(), found["sign"]
        value = _WORDS[said] if said in _WORDS else float(said.replace(",", ""))
        scale = _SCALES.get((found["scale"] or "").strip().lower(), 1.0)
        end = found.end("unit") if unit else found.end("scale") if found["scale"] else found.end("number")
        kind, size = _kind(unit, bool(sign), scaled=bool(found["scale"]))
        if not kind and _AGED.search(text[: found.start()]):
            kind = "age"
        if said in ("one", "single") and not unit and not sign:  # "which one", not a number
            continue
        yield _Amount(kind, value * scale * size, size, found.start(), end)


def _kind(unit: str, signed: bool, *, scaled: bool) -> tuple[Kind | Literal["", "other"], float]:
    """Return the kind that a unit names, and how much one of it is."""
    if signed or unit.startswith(("pound", "dollar", "euro", "buck", "quid")) or (scaled and not unit):
        return "money", 1.0
    if "old" in unit or "age" in unit:
        return "age", 1.0
    if unit.startswith("y"):
        return "months", 12.0
    if unit.startswith("mo"):
        return "months", 1.0
    if unit.startswith(("%", "per")):
        return "percent", 1.0
    return ("other", 1.0) if unit else ("", 1.0)


def _bare(amount: _Amount) -> Kind:
    value = amount.value
    if amount.scale == 1 and value == int(value) and _FIRST_YEAR <= value <= _LAST_YEAR:
        return "year"
    return "money" if value >= _LEAST_MONEY else "number"


def _are_range(text: str, before: _Amount, after: _Amount) -> bool:
    gap = text[before.end : after.start]
    between = _AND.fullmatch(gap) and _BETWEEN.search(text[: before.start])
    alike = not before.kind or not after.kind or before.kind == after.kind
    return alike and bool(_TO.fullmatch(gap) or between)


def _range(before: _Amount, after: _Amount) -> _Amount:
    """Return the two as one; the one without a unit takes the other's."""
    low = before.value if before.kind else before.value * after.scale
    high = after.value if after.kind else after.value * before.scale
    scale = max(before.scale, after.scale)
    return _Amount(before.kind or after.kind, max(low, high), scale, before.start, after.end, low=min(low, high))


def _bounds(text: str, amount: _Amount) -> tuple[float, float]:
    if amount.low is not None:
        return amount.low, amount.value
    before, after = text[: amount.start], text[amount.end :]
    if _BELOW.search(before):
        return 0.0, amount.value - _LITTLE
    if _AT_MOST.search(before) or _AND_LESS.match(after):
        return 0.0, amount.value
    if _ABOVE.search(before):
        return amount.value + _LITTLE, math.inf
    if _AT_LEAST.search(before) or _AND_MORE.match(after):
        return amount.value, math.inf
    return amount.value, amount.value
