"""Written forms as they are said aloud: money, rates, dates."""

import re
from datetime import date

_MONTHS = (
    "January February March April May June July August September October November December".split()
)  # fmt: skip


def spoken_money(amount: str) -> str:
    """Return an amount with its sign as it is said: "$1,250.40" as "1,250 dollars and 40 cents"."""
    whole, _, cents = amount.lstrip("$ ").partition(".")
    dollars = f"{whole} {'dollar' if whole == '1' else 'dollars'}"
    if not cents.strip("0"):
        return dollars
    spoken_cents = f"{int(cents)} {'cent' if int(cents) == 1 else 'cents'}"
    return spoken_cents if whole == "0" else f"{dollars} and {spoken_cents}"


def spoken_percent(rate: str) -> str:
    """Return a rate as it is said: "7.49%" as "7.49 percent"."""
    return f"{re.sub(r'[^0-9.,]', '', rate)} percent"


def spoken_date(iso: str) -> str:
    """Return an ISO date as it is said: "2026-12-14" as "December 14, 2026"; what is no date stays."""
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"
