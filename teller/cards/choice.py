"""Which of a caller's cards a turn names: by its last four, product, network or place."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from teller.cards.records import Card, CardState
from teller.cards.spoken import heard_words

_PRODUCTS = ("everyday", "gold", "travel", "student", "business", "platinum", "silver")
_NETWORKS = {"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express", "discover": "Discover"}
_PLACES = {"first": 0, "second": 1, "third": 2, "1st": 0, "2nd": 1, "3rd": 2}
_ENDING = re.compile(
    r"\b(?:ending|ends|last four|last 4|digits|card|number)(?: (?:in|with|is|are|number|digits)){0,8} (\d{4})\b"
)
_PLASTIC = r"(?:credit |debit )?(?:card|visa|mastercard|one)\b"
_HINT = rf"(?:{'|'.join((*_PRODUCTS, *_NETWORKS, *_PLACES))}|\d{{4}})"
_DENIED = re.compile(rf"\bnot (?:(?:the|my|that|this|for) )*(?:(?:{_HINT}|other)(?: {_PLASTIC})?|one\b|card\b)")
_OTHER = re.compile(r"\b(?:the|my) other(?: (?:one|card|visa|mastercard))?\b|\bother one\b|\bwrong (?:one|card)\b")

_CORRECTS = re.compile(
    r"\b(?:no|nope|sorry|wait|actually|rather|oops|mistake|hang on|scratch that|make that|i mean|i meant)\b"
)
_DENIES = re.compile(r"\b(?:not|never|don't|do not|other|wrong (?:one|card))\b")
_MOST_PARTS = 20  # who corrects himself more often has said nothing clear
_IT = re.compile(r"\b(?:it|it's|(?:this|that) (?:one|card))\b")
_AND = re.compile(r"\b(?:and|plus|then)\b")

HINT_WORDS = frozenset((*_PRODUCTS, *_NETWORKS, *_PLACES, "master", "card", "credit", "debit", "one", "other"))
"""The words that say which card is meant."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The cards that a turn's words fit, in the holder's order; `named` is False where it names none in particular.

    `each`: they are named one by one, so all of them are meant ("the gold one and the Visa").
    """

    cards: tuple[Card, ...]
    named: bool
    each: bool = False


def choose(cards: Sequence[Card], turn: str) -> Choice:
    """Return which of the cards a turn means. Named and empty: it names one that is not among them.

    Every hint must fit: "my gold Visa" is no Gold Mastercard. "The second one" counts in the order of `cards`. Of cards
    that are corrected in the same breath ("the Visa, no, the gold one", "the first, sorry, the other one") the last
    counts.
    """
    return choose_instead(cards, turn, None)


def choose_after(cards: Sequence[Card], turn: str, told: Sequence[Card]) -> Choice:
    """Return which of the cards a turn means that follows the news of some: "and the other one?" is none of those.

    "It" is the only one that was spoken of. A closed card is the other one only where there is no other.
    """
    choice, words = choose(cards, turn), _words(turn)
    if choice.named or not told:
        return choice
    if _OTHER.search(words):
        others = tuple(card for card in cards if card not in told)
        open_ones = tuple(card for card in others if card.state is not CardState.CLOSED)
        return Choice(open_ones or others, named=True) if others else choice
    return Choice(tuple(told), named=True) if len(told) == 1 and _IT.search(words) else choice


def choose_instead(cards: Sequence[Card], turn: str, current: Card | None) -> Choice:
    """Return which of the cards a turn means where one was understood before: "no, the other one", "not the Visa".

    Without a word of correction it is what `choose` returns. What a turn says after correcting itself counts, against
    the card that it named before.
    """
    understood = Choice(tuple(cards), named=False)
    parts = [part.strip() for part in _CORRECTS.split(_words(turn)) if part.strip()]
    for part in parts if len(parts) <= _MOST_PARTS else ():
        named = _named(cards, _DENIED.sub(" ", part).strip())
        rest = _all_but(cards, part, current)
        if not named.named:
            understood = rest if rest.named else understood
            continue
        unclear = _goes_on_to_another(cards, part) and rest.cards != named.cards
        understood = Choice(tuple(cards), named=False) if unclear else named
        current = named.cards[0] if len(named.cards) == 1 else current
    return understood


def corrects_itself(turn: str) -> bool:
    """Return whether a turn takes a word of its own back, or says which card is not meant: it is asked about first.

    A denial that is all of the turn leaves no doubt: "not the Visa".
    """
    words = _words(turn)
    return bool(_CORRECTS.search(words) or (_DENIES.search(words) and not _DENIED.fullmatch(words)))


def _named(cards: Sequence[Card], words: str) -> Choice:
    """Return the card that words name, or the several that they name one by one."""
    named = [choice.cards for part in _AND.split(words) if (choice := _choice(cards, part)).named]
    if len(named) > 1 and all(len(fitting) == 1 for fitting in named) and len(set(named)) > 1:
        meant = {card.token for fitting in named for card in fitting}
        return Choice(tuple(card for card in cards if card.token in meant), named=True, each=True)
    return _choice(cards, words)


def _all_but(cards: Sequence[Card], words: str, current: Card | None) -> Choice:
    """Return the cards that words leave which deny some: "not the gold one", "the other one"."""
    denied: list[str] = _DENIED.findall(words)
    if not denied and not _OTHER.search(words):
        return Choice(tuple(cards), named=False)
    refused = {card.token for mention in denied for card in _refused(cards, mention, current)}
    if len(refused) == len(cards) or not refused:
        refused = {current.token} if current else set()
    rest = tuple(card for card in cards if card.token not in refused)
    return Choice(rest, named=True) if refused and rest else Choice(tuple(cards), named=False)


def _goes_on_to_another(cards: Sequence[Card], words: str) -> bool:
    """Return whether words name a card and then "the other one", without saying which of the two is meant."""
    said = _DENIED.sub(" ", words)
    other = _OTHER.search(said)
    return other is not None and _choice(cards, said[: other.start()].strip()).named


def _refused(cards: Sequence[Card], mention: str, current: Card | None) -> tuple[Card, ...]:
    """Return the cards that a denial names; "not the other one" denies all but the one that was understood."""
    if _OTHER.search(mention):
        return tuple(card for card in cards if card != current) if current else ()
    return _choice(cards, mention.removeprefix("not ")).cards


def card_hints(turn: str) -> set[str]:
    """Return the words of a turn that tell one card from another: product, network, place, last four, "other"."""
    words = set(_words(turn).split())
    return {
        word for word in words if word in (*_PRODUCTS, *_NETWORKS, *_PLACES, "other") or re.fullmatch(r"\d{4}", word)
    }


def _words(turn: str) -> str:
    return re.sub(r"\bmaster card\b", "mastercard", " ".join(heard_words(turn)))


def _choice(cards: Sequence[Card], words: str) -> Choice:
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
    named = [
        product
        for product in _PRODUCTS
        if re.search(
            rf"\b{product} {_PLASTIC}|\b(?:my|the|for) {product}(?:$| please| instead| thank| not| and| or| too| also)"
            rf"|^{product}$",
            words,
        )
    ]
    return [card for card in cards if card.product.lower() in named] if named else None


def _by_network(cards: Sequence[Card], words: str) -> list[Card] | None:
    named = [network for word, network in _NETWORKS.items() if re.search(rf"\b{word}\b", words)]
    return [card for card in cards if card.network in named] if named else None


def _by_place(cards: Sequence[Card], words: str) -> list[Card] | None:
    match = re.search(r"\b(first|second|third) (?:one|card)\b|^(?:the )?(first|second|third)$", words)
    if match is None:
        return None
    place = _PLACES[match[1] or match[2]]
    return [cards[place]] if place < len(cards) else []
