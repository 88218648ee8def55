"""Amounts and days, as they are read in chat and as they are spoken."""

from datetime import date
from decimal import Decimal

from graph.options import Channel


def amount(value: Decimal, channel: Channel) -> str:
    """Return an amount of US dollars: $1,250.40, or "1,250 dollars and 40 cents"."""
    if channel == "chat":
        return f"-${-value:,.2f}" if value < 0 else f"${value:,.2f}"
    dollars, cents = divmod(int(abs(value) * 100), 100)
    said = f"{'minus ' if value < 0 else ''}{dollars:,} dollar{'' if dollars == 1 else 's'}"
    return f"{said} and {cents} cent{'' if cents == 1 else 's'}" if cents else said


def day(value: date, channel: Channel) -> str:
    """Return a day: December 9, 2026, or, where it is spoken, without the year."""
    said = f"{value:%B} {value.day}"
    return said if channel == "voice" else f"{said}, {value.year}"
