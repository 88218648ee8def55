"""Which of a caller's cards a turn names: by its last four, product, network or place."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from teller.cards.records import Card
from teller.cards.spoken import heard_words

_PRODUCTS = ("everyday", "gold", "travel", "student", "business", "platinum", "silver")
_NETWORKS = {"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express", "discover": "Discover"}
_PLACES = {"first": 0, "second": 1, "third": 2, "1st": 0, "2nd": 1, "3rd": 2}
_ENDING = re.compile(
    r"\b(?:ending|ends|last four|last 4|digits|card|number)(?: (?:in|with|is|are|number|digits))* (\d{4})\b"
)
_PLASTIC = r"(?:credit |debit )?(?:card|visa|mastercard|one)\b"


@dataclass(frozen=True, slots=True)
class Choice:
    """The cards that a turn's words fit, in the holder's order; `named` is False where it names none in particular."""

    cards: tuple[Card, ...]
    named: bool


def choose(cards: Sequence[Card], turn: str) -> Choice:
    """Return which of the cards a turn means. Named and empty: it names one that is not among them.

    Every hint must fit: "my gold Visa" is no Gold Mastercard. "The second one" counts in the order of `cards`.
    """
    words = " ".join(heard_words(turn.replace("master card", "mastercard").replace("Master Card", "Mastercard")))
    fitting, named = list(cards), False
    for hint in (
        _by_last4(cards, words),
        _by_product(cards, words),
        _by_network(cards, words),
        _by_place(cards, words),
    ):
        if hint is not None:
            named = True
            fitting = [card for card in fitting if card in hint]
    return Choice(tuple(fitting), named)


def _by_last4(cards: Sequence[Card], words: str) -> list[Card] | None:
    said = set(words.split())
    known = [card for card in cards if card.last4 in said]
    if known:
        return known
    return [] if _ENDING.search(words) or re.fullmatch(r"(?:the |my )?\d{4}", words) else None


def _by_product(cards: Sequence[Card], words: str) -> list[Card] | None:
    for product in _PRODUCTS:
        if re.search(rf"\b{product} {_PLASTIC}|\b(?:my|the) {product}$|^{product}$", words):
            return [card for card in cards if card.product.lower() == product]
    return None


def _by_network(cards: Sequence[Card], words: str) -> list[Card] | None:
    for word, network in _NETWORKS.items():
        if re.search(rf"\b{word}\b", words):
            return [card for card in cards if card.network == network]
    return None


def _by_place(cards: Sequence[Card], words: str) -> list[Card] | None:
    match = re.search(r"\b(first|second|third) (?:one|card)\b|^(?:the )?(first|second|third)$", words)
    if match is None:
        return None
    place = _PLACES[match[1] or match[2]]
    return [cards[place]] if place < len(cards) else []
