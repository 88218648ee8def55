"""Cards and the audit trail as tables that fit the terminal; nothing in them is cut short."""

from collections.abc import Iterable

from rich import box
from rich.table import Table

from teller.cards.audit import AuditEntry, Detail
from teller.cards.demo import CardListing, HolderListing

_WIDE = 116


def holders_table(holders: Iterable[HolderListing], width: int) -> Table:
    """Return holders and their cards: one line a card where the terminal is wide, else two or three."""
    return _wide(holders) if width >= _WIDE else _narrow(holders)


def trail_table(entries: Iterable[AuditEntry]) -> Table:
    """Return audit rows; `detail` in words."""
    table = _table("no.", "at (UTC)", "what", "who", "detail")
    table.columns[0].justify = "right"
    table.columns[2].no_wrap = table.columns[3].no_wrap = True
    for entry in entries:
        table.add_row(
            str(entry.seq), f"{entry.at:%Y-%m-%d %H:%M:%S}", entry.event, entry.subject or "-", in_words(entry.detail)
        )
    return table


def in_words(detail: Detail) -> str:
    """Return an audit row's detail as a person would put it."""
    known = dict(detail)
    parts = [_word(known.pop("operation", None)), _word(known.pop("kind", None), " question")]
    if last4 := known.pop("last4", None):
        version = known.pop("version", None)
        is_now = f" is {known.pop('state')}" if "state" in known else ""
        parts.append(f"card {last4}{is_now}" + (f" (version {version})" if version else ""))
    if known.pop("changed", True) is False:
        parts.append("was so already")
    if other := known.pop("other_last4", None):
        parts.append(f"card {other} is {known.pop('other_state', '?')}")
    if known.pop("counts", True) is False:
        parts.append("the same value again, not counted")
    parts.append(_word(known.pop("minutes", None), " minutes"))
    parts.append(_word(known.pop("reason", None)))
    return ", ".join([*filter(None, parts), *(f"{name} {value}" for name, value in known.items())])


def _wide(holders: Iterable[HolderListing]) -> Table:
    table = _table("phone", "name", "PIN", "card", "state", "limit", "balance", "due")
    for column in table.columns[5:7]:
        column.justify = "right"
    for holder in holders:
        person = [holder["phone"], holder["name"], holder["pin"]]
        for card in holder["cards"]:
            money = (card["credit_limit"], card["balance"], card["due_date"] or "-")
            table.add_row(*person, f"{_kind(card)} {card['last4']}", card["state"], *money)
            person = ["", "", ""]
        if not holder["cards"]:
            table.add_row(*person, "no card", "", "", "", "")
    return table


def _narrow(holders: Iterable[HolderListing]) -> Table:
    table = _table("holder", "card", "state", "balance")
    for holder in holders:
        person = "\n".join([holder["phone"], holder["name"], *(["PIN locked"] if holder["pin"] == "locked" else [])])
        for card in holder["cards"]:
            due = f"\ndue {card['due_date']}" if card["due_date"] else ""
            money = f"{card['balance']} of {card['credit_limit']}{due}"
            table.add_row(person, f"{_kind(card)}\n{card['last4']}", card["state"], money)
            person = ""
        if not holder["cards"]:
            table.add_row(person, "no card", "", "")
        table.add_section()
    return table


def _table(*headers: str) -> Table:
    table = Table(box=box.SIMPLE)
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


def _kind(card: CardListing) -> str:
    return f"{card['product']} {card['network']}"


def _word(value: object, after: str = "") -> str:
    return "" if value is None else f"{value}{after}".replace("_", " ")
