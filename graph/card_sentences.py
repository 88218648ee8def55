"""What is said about cards: the sentences of `prompts/cards.yaml`, filled from the ledger's records."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from graph.options import Channel
from graph.state import CardOutcome
from teller.cards.records import Card, CardRecord, Operation
from teller.cards.spoken import spoken_digits

_FILE = Path(__file__).parent.parent / "prompts" / "cards.yaml"


@cache
def _texts() -> dict[str, Any]:
    texts: dict[str, Any] = yaml.safe_load(_FILE.read_text("utf-8"))
    return texts


def told(outcome: CardOutcome, channel: Channel) -> str:
    """Return the sentence that tells an outcome; empty where a question is all there is to say."""
    match outcome.kind:
        case "question":
            return ""
        case "status":
            return " ".join(_status(card, channel) for card in outcome.cards)
        case "done" if outcome.record:
            return _done(outcome.record, channel)
        case "unchanged":
            return _unchanged(outcome, channel)
        case "given_up":
            name = "given_up" if outcome.cards else "given_up_no_card"
            return _say(_texts()[name], channel, outcome.cards)
        case "lacks_card":
            return _say(_texts()["lacks_card" if outcome.cards else "lacks_card_none"], channel, outcome.cards)
        case kind:
            return _say(_texts()[kind], channel)


def question_which(operation: Operation, cards: Sequence[Card], channel: Channel) -> str:
    """Return the question which of several cards is meant."""
    return _say(_texts()["which"][operation], channel, cards)


def question_confirm(operation: Operation, card: Card, channel: Channel) -> str:
    """Return the question whether to do it: operation, card and last four, and nothing after them."""
    return _say(_texts()["confirm"][operation], channel, [card])


def _status(card: Card, channel: Channel) -> str:
    return _say(_texts()["status"], channel, [card], state=_texts()["states"][card.state])


def _done(record: CardRecord, channel: Channel) -> str:
    return _say(
        _texts()["done"][record.operation]["changed" if record.changed else "unchanged"], channel, [record.card]
    )


def _unchanged(outcome: CardOutcome, channel: Channel) -> str:
    templates = _texts()["unchanged"][outcome.operation]
    return " ".join(_say(templates[card.state], channel, [card]) for card in outcome.cards)


def _say(template: str | dict[str, str], channel: Channel, cards: Sequence[Card] = (), state: str = "") -> str:
    text = template if isinstance(template, str) else template[channel]
    names = [_name(card, channel) for card in cards]
    return text.format(card=names[0] if names else "", cards=_enumerated(names), state=state)


def _name(card: Card, channel: Channel) -> str:
    last4 = spoken_digits(card.last4) if channel == "voice" else card.last4
    return f"{card.product} {card.network} ending {last4}"


def _enumerated(names: Sequence[str]) -> str:
    *most, last = [f"your {name}" for name in names] or [""]
    return f"{', '.join(most)} or {last}" if most else last
