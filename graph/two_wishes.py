"""A turn with two wishes: where it is taken apart, and what its parts come to together."""

from collections.abc import Sequence
from dataclasses import replace

from graph.state import CardWish, Intent
from teller.cards.choice import card_hints
from teller.cards.policy import TRANSITIONS
from teller.cards.records import Operation
from teller.knowledge.asking import wants_to_know

SURE_OF_PART = 0.5
"""How sure each half of a turn with two wishes must be."""
_SURE_OF_QUESTION = 0.4  # of a half that asks, beside a wish about a card that is sure


def joined(whole: Intent, parts: Sequence[tuple[str, Intent]]) -> Intent:
    """Return the intent of a turn that was split: both routes, where its parts are sure of two.

    A question beside a wish for a person is answered first. Of two wishes about cards the second one waits.
    """
    sure = [(text, part) for text, part in parts if part.confidence >= SURE_OF_PART]
    cards = [(text, part.action) for text, part in sure if part.action is not None]
    asks = next(((text, part) for text, part in sure if part.routes == ("knowledge",)), None)
    asks = asks or (_asked(parts) if cards else None)
    person = next((part for _, part in sure if part.routes == ("handoff",)), None)
    if asks and person and not cards:
        return replace(person, routes=("knowledge", "handoff"), question=asks[0])
    if not asks and len(cards) > 1 and whole.routes == ("card",) and _are_two(*cards[:2]):
        return replace(whole, action=cards[0][1], request=cards[0][0], also=CardWish(cards[1][1], cards[1][0]))
    if not asks or not cards:
        return whole
    card = next((text, part) for text, part in sure if part.action is not None)
    (request, wish), (question, topic) = card, asks
    return Intent(
        routes=("knowledge", "card"),
        topic=topic.topic,
        action=wish.action,
        confidence=min(wish.confidence, topic.confidence),
        runner_up=whole.runner_up,
        question=question,
        request=request,
    )


def _asked(parts: Sequence[tuple[str, Intent]]) -> tuple[str, Intent] | None:
    """Return the first part that wants to know something which is likeliest the documents', where there is one."""
    found = [(text, part) for text, part in parts if part.routes == ("knowledge",) and wants_to_know(text)]
    return next(((text, part) for text, part in found if part.confidence >= _SURE_OF_QUESTION), None)


def _are_two(one: tuple[str, Operation], another: tuple[str, Operation]) -> bool:
    """Return whether two wishes of one turn are two: telling is no part of changing; "it's lost, block it" is one.

    Changes of two cards are two: "block the gold one and unblock the Visa".
    """
    (first_words, first), (second_words, second) = one, another
    first_hints, second_hints = card_hints(first_words), card_hints(second_words)
    two_cards = bool(first_hints and second_hints) and first_hints.isdisjoint(second_hints)
    return first is not second and (first not in TRANSITIONS or second not in TRANSITIONS or two_cards)
