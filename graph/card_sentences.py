"""What is said about cards: the sentences of `prompts/cards.yaml`, filled from the ledger's records."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from graph.options import Channel
from graph.spoken_values import amount, day
from graph.state import CardOutcome, OutcomeKind
from teller.cards.dialogue import Turn, last_said
from teller.cards.records import Card, CardRecord, Operation, Purchase
from teller.cards.spoken import heard_words, spoken_digits

_FILE = Path(__file__).parent.parent / "prompts" / "cards.yaml"


@cache
def _texts() -> dict[str, Any]:
    texts: dict[str, Any] = yaml.safe_load(_FILE.read_text("utf-8"))
    return texts


_TELLING = {
    "balance": Operation.BALANCE,
    "limit": Operation.LIMIT,
    "due_date": Operation.DUE_DATE,
    "transactions": Operation.TRANSACTIONS,
}


def told(outcome: CardOutcome, channel: Channel) -> str:
    """Return the sentence that tells an outcome; empty where a question is all there is to say."""
    match outcome.kind:
        case "question":
            return ""
        case "status" | "balance" | "limit" | "due_date":
            return " ".join(_of_card(outcome.kind, card, channel) for card in outcome.cards)
        case "transactions" | "declined":
            pairs = zip(outcome.cards, outcome.purchases, strict=True)
            return " ".join(_listed(outcome.kind, card, made, channel) for card, made in pairs)
        case "done" if outcome.record:
            return _done(outcome.record, channel)
        case "too_late" if outcome.record:
            offered = outcome.record.changed and outcome.operation is Operation.BLOCK
            return f"{_done(outcome.record, channel)}{' ' + _texts()['take_back_offered'] if offered else ''}"
        case "unchanged":
            return _unchanged(outcome, channel)
        case "given_up" | "lacks_card" if not outcome.cards:
            return _say(f"{outcome.kind}_{'no_card' if outcome.kind == 'given_up' else 'none'}", channel)
        case kind:
            return _say(kind, channel, outcome.cards)


def question_which(operation: Operation, cards: Sequence[Card], channel: Channel) -> str:
    """Return the question which of several cards is meant."""
    which = _texts()["which"]
    return _filled(which.get(operation, which["other"]), channel, cards)


def question_confirm(operation: Operation, card: Card, channel: Channel) -> str:
    """Return the question whether to do it: it ends with operation, card and last four."""
    return _filled(_texts()["confirm"][operation], channel, [card])


def question_pin(channel: Channel, *, rest: bool = False) -> str:
    """Return the question for a PIN, or for the rest of it."""
    return _say("pin_rest" if rest else "pin", channel)


def fraud_first(channel: Channel) -> str:
    """Return what is said before a block is offered to somebody whose card is being misused."""
    return _say("fraud_first", channel)


def sorry(channel: Channel) -> str:
    """Return what is said first to somebody whose card is lost, stolen or was refused."""
    return _say("sorry", channel)


def was_told(kind: OutcomeKind, history: Sequence[Turn], channel: Channel) -> bool:
    """Return whether the last thing that was told is this."""
    last = last_said(history)
    return " ".join(heard_words(_say(kind, channel))) in " ".join(heard_words(last))


def operation_told(said: str) -> Operation | None:
    """Return what an assistant's turn told last of a card for its caller's PIN; None where it told nothing such."""
    words = " ".join(heard_words(said))
    places = {
        operation: words.rfind(" ".join(heard_words(_texts()[name].partition("{card}")[0])))
        for name, operation in _TELLING.items()
    }
    last = max(places, key=lambda operation: places[operation])
    return last if places[last] >= 0 else None


def _of_card(kind: OutcomeKind, card: Card, channel: Channel) -> str:
    match kind:
        case "status":
            return _say("status", channel, [card], state=_texts()["states"][card.state])
        case "balance":
            return _say("balance", channel, [card], amount=amount(card.balance, channel))
        case "limit":
            free = max(card.credit_limit - card.balance, card.balance * 0)
            return _say("limit", channel, [card], amount=amount(card.credit_limit, channel), rest=amount(free, channel))
        case _:
            if card.due_date is None:
                return _say("due_date_none", channel, [card])
            return _say("due_date", channel, [card], date=day(card.due_date, channel))


def _listed(kind: OutcomeKind, card: Card, purchases: Sequence[Purchase], channel: Channel) -> str:
    made = [one for one in purchases if (one.declined is not None) == (kind == "declined")]
    if not made:
        return _say(f"{kind}_none", channel, [card])
    if kind == "transactions":
        return _say(
            kind, channel, [card], payments="; ".join(_say("payment", channel, **_of(one, channel)) for one in made)
        )
    reasons = _texts()["reasons"]
    return " ".join(_say(kind, channel, [card], reason=reasons[one.declined], **_of(one, channel)) for one in made)


def _of(purchase: Purchase, channel: Channel) -> dict[str, str]:
    return {
        "date": day(purchase.day, channel),
        "merchant": purchase.merchant,
        "amount": amount(purchase.amount, channel),
    }


def _done(record: CardRecord, channel: Channel) -> str:
    sentences = _texts()["done"][record.operation]
    name = "changed" if record.changed else "unchanged"
    if record.changed and record.other and "closed_other" in sentences:
        name = "closed_other"
    other = _name(record.other, channel) if record.other else ""
    return _filled(sentences[name], channel, [record.card], other=other)


def _unchanged(outcome: CardOutcome, channel: Channel) -> str:
    sentences = _texts()["unchanged"][outcome.operation]
    return " ".join(_filled(_fitting(sentences, card), channel, [card]) for card in outcome.cards)


def _fitting(sentences: dict[str, Any], card: Card) -> Any:
    return sentences["ordered"] if card.replacement and "ordered" in sentences else sentences[card.state]


def _say(name: str, channel: Channel, cards: Sequence[Card] = (), /, **values: str) -> str:
    return _filled(_texts()[name], channel, cards, **values)


def _filled(template: str | dict[str, str], channel: Channel, cards: Sequence[Card] = (), **values: str) -> str:
    text = template if isinstance(template, str) else template[channel]
    names = [_name(card, channel) for card in cards]
    known = {"card": names[0] if names else "", "cards": _enumerated(names, "or"), "held": _enumerated(names, "and")}
    return text.format(**known, **values)


def _name(card: Card, channel: Channel) -> str:
    last4 = spoken_digits(card.last4) if channel == "voice" else card.last4
    return f"{card.product} {card.network} ending {last4}"


def _enumerated(names: Sequence[str], joint: str) -> str:
    *most, last = [f"your {name}" for name in names] or [""]
    return f"{', '.join(most)} {joint} {last}" if most else last
