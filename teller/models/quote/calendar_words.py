"""Weekdays and days of the year as they are written and said: "Mon-Thu", "24 December", "Christmas Eve", "in July"."""

import re
from collections.abc import Iterator
from typing import Literal

Named = tuple[Literal["weekday", "date"], float, float, str]

_MONTHS = "january february march april may june july august september october november december".split()
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FEASTS = {  # those that fall on the same day each year
    r"christmas\s+eve": 1224,
    r"christmas(?:\s+day)?": 1225,
    r"boxing\s+day": 1226,
    r"new\s+year'?s?'?\s+eve": 1231,
    r"new\s+year'?s?'?(?:\s+day)?(?!\s*'?s?\s+eve)": 101,
    r"(?:fourth|4th)\s+of\s+july|july\s+(?:fourth|4th)|independence\s+day": 704,
    r"veterans'?\s+day": 1111,
    r"juneteenth": 619,
    r"valentine'?s(?:\s+day)?": 214,
    r"halloween": 1031,
}
_MONTH = "(?:" + "|".join(f"{month[:3]}(?:{month[3:]})?" if month != "may" else "may" for month in _MONTHS) + ")"
_DAYS = r"\d{1,2}(?:st|nd|rd|th)?\b(?:(?:\s*(?:,|-|\u2013|&|\bto|\band|\bor)\s*)+\d{1,2}(?:st|nd|rd|th)?\b(?!\.?\d))*"
_DATE = re.compile(
    rf"""(?<![\d.:,])\b(?P<days>{_DAYS})\s+(?:of\s+)?(?P<month>{_MONTH})\b\.?(?:,?\s+\d{{4}}\b)?
    | \b(?P<month2>{_MONTH})\b\.?\s+(?:the\s+)?(?P<days2>{_DAYS})(?!\s*%)(?:,?\s+(?:19|20)\d\d\b)?
    | (?P<feast>\b(?:{"|".join(_FEASTS)}))(?!\w)(?:,?\s+(?:in\s+|of\s+)?(?:19|20)\d\d\b)?
    | \b(?P<iso>(?:19|20)\d\d-[01]\d-[0-3]\d)\b
    | (?:(?<=\bin\s)|(?<=\bduring\s)|(?<=\beach\s)|(?<=\bevery\s)|(?<=\bor\s))(?P<whole>{_MONTH})\b
      (?:\s+(?:19|20)\d\d\b|(?!\s+\d))""",
    re.IGNORECASE | re.VERBOSE,
)
_DAY_OR_JOINT = re.compile(r"\d+|-|\u2013|\bto\b|\band\b", re.IGNORECASE)
_YEAR = re.compile(r"\b((?:19|20)\d\d)$")
_DAY = (
    r"(?:mon(?:day)?s?|tue(?:s|sday)?s?|wed(?:nesday)?s?|thu(?:rs?|rsday)?s?|fri(?:day)?s?|sat(?:urday)?s?"
    r"|sun(?:day)?s?)"
)
_WEEKDAY = re.compile(
    rf"\b(?P<first>{_DAY})\b\.?(?:\s*(?:-|\u2013|to|through|until)\s*(?P<last>{_DAY})\b)?"
    r"|\b(?P<group>weekdays?|weekends?|(?:seven|7)\s+days\s+a\s+week|every\s+day\s+of\s+the\s+week)\b",
    re.IGNORECASE,
)
_SHORT_WORDS = frozenset({"sat", "sun", "mon", "wed", "fri", "suns", "tues"})  # of these only the capitalised are days
_TO = re.compile(r"\s*(?:-|\u2013|to|through|until|till|and)\s*(?:the\s+)?", re.IGNORECASE)
_RUNS = re.compile(r"\b(?:from|between)\s*(?:the\s+)?$", re.IGNORECASE)


def days_named(text: str) -> Iterator[Named]:
    """Yield each weekday (0 to 6, Monday first) and day of the year (month * 100 + day), or range of them."""
    yield from _weekdays(text)
    found = list(_DATE.finditer(text))
    i = 0
    while i < len(found):
        *others, (low, high) = _days(text, found[i])
        said, start = found[i][0], found[i].start()
        if i + 1 < len(found) and _is_range(text, found[i], found[i + 1]):
            high, i = _days(text, found[i + 1])[0][1], i + 1
            said = text[start : found[i].end()]
        for first, last in others:
            yield "date", first, last, said
        if low <= high:
            yield "date", low, high, said
        else:  # over the end of the year
            yield "date", low, 1231, said
            yield "date", 101, high, said
        i += 1


def without_days(text: str) -> str:
    """Return a text of the same length, without its days of the year but with their year, which "of" goes before."""

    def blank(found: re.Match[str]) -> str:
        year = found["iso"][:4] if found["iso"] else (ends[1] if (ends := _YEAR.search(found[0])) else "")
        return (f"of {year}" if year else "").rjust(len(found[0]))

    return _DATE.sub(blank, text)


def _is_range(text: str, first: re.Match[str], second: re.Match[str]) -> bool:
    gap = text[first.end() : second.start()]
    joined = _TO.fullmatch(gap)
    return bool(joined) and ("and" not in gap.lower() or bool(_RUNS.search(text[: first.start()])))


def _days(text: str, found: re.Match[str]) -> list[tuple[float, float]]:
    """Return the days of a match, or their ranges: two of "25 and 26 December", one of "24-26 December"."""
    if found["feast"]:
        day = next(day for feast, day in _FEASTS.items() if re.fullmatch(feast, found["feast"], re.IGNORECASE))
        return [(day, day)]
    if found["whole"]:
        month = _month(found["whole"])
        return [(month * 100 + 1, month * 100 + 31)]
    if found["iso"]:
        day = int(found["iso"][5:7]) * 100 + int(found["iso"][8:])
        return [(day, day)]
    month, runs = _month(found["month"] or found["month2"]) * 100, bool(_RUNS.search(text[: found.start()]))
    days: list[tuple[float, float]] = []
    joint = ""
    for part in _DAY_OR_JOINT.findall(found["days"] or found["days2"]):
        if not part.isdigit():
            joint = part.lower()
        elif joint and days and (joint != "and" or runs):
            days[-1], joint = (days[-1][0], month + int(part)), ""
        else:
            days.append((month + int(part), month + int(part)))
            joint = ""
    return days


def _month(name: str) -> int:
    return next(i for i, month in enumerate(_MONTHS, 1) if month[:3] == name[:3].lower())


def _weekdays(text: str) -> Iterator[Named]:
    for found in _WEEKDAY.finditer(text):
        group = (found["group"] or "").lower()
        if group:
            low, high = (0, 4) if group.startswith("weekday") else (5, 6) if group.startswith("weekend") else (0, 6)
            yield "weekday", low, high, found[0]
            continue
        first, last = found["first"], found["last"]
        if not last and first in _SHORT_WORDS:
            continue
        low = _WEEKDAYS.index(first[:3].lower())
        yield "weekday", low, _WEEKDAYS.index(last[:3].lower()) if last else low, found[0]
