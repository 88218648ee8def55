"""What an intent becomes in its conversation: beside an open question, before a person, without a ledger."""

import re
from dataclasses import replace

from graph.history import turn_text
from graph.state import Intent, Route
from teller.cards.answers import is_yes
from teller.cards.dialogue import Turn, last_said
from teller.cards.pin_words import says_pin
from teller.cards.policy import POLICY
from teller.cards.records import Operation, Wish, WishState
from teller.cards.spoken import heard_words

SURE = 0.5
"""Below this confidence a turn beside an open question is taken for one that was not understood."""

_ASKS_HOW = re.compile(
    r"\bhow (?:do|can|would|should|does|long|soon)\b|\bwhat (?:do i|should i|happens|would)\b|\bdo i (?:need|have to)\b"
    r"|\b(?:by )?when (?:do|can|would|should|does|will|is|are) (?:i|we|you|it|that)\b"
    r"|\bis there an? (?:fee|limit|way|deadline)\b|\bwhat(?:'s| is) the (?:process|procedure|deadline|fee)\b",
    re.IGNORECASE,
)
_ASKS_OF_A_CARD = re.compile(r"\b(?:shall i|which card)\b", re.IGNORECASE)
_FOR_A_PERSON = ("dispute_open", "change_details", "account_service", "access_problem", "fraud_in_progress")


def beside_open_question(nearest: Intent, wish: Wish, text: str) -> Intent:
    """Return the intent of a turn that does not answer the open question: it is asked again, after what else is due.

    A new wish about cards takes its place, and so does a caller who wants a person or says goodbye, unless a yes is
    just settling, which these words may have changed.
    """
    sure_of_card = "card" in nearest.routes and (nearest.confidence >= SURE or _names_another(nearest, wish, text))
    leaves = nearest.routes == ("handoff",) or nearest.topic == "goodbye"
    if sure_of_card or (leaves and wish.state is not WishState.SETTLING):
        return nearest
    understood = nearest.confidence >= SURE and nearest.routes[0] in ("knowledge", "handoff", "out_of_scope")
    if not understood:
        return Intent(("card",), "answer", wish.operation, nearest.confidence, decided_by="dialogue")
    routes: tuple[Route, ...] = (*(route for route in nearest.routes if route != "card"), "card")
    return Intent(routes, nearest.topic, wish.operation, nearest.confidence, decided_by="dialogue")


def _names_another(nearest: Intent, wish: Wish, text: str) -> bool:
    """Return whether a turn says the verb of an operation that was not the one asked about: "can I just block it?"."""
    verbs = POLICY[nearest.action].verbs if nearest.action else frozenset[str]()
    return nearest.action is not wish.operation and not verbs.isdisjoint(heard_words(text))


def without_ledger(nearest: Intent, history: list[Turn]) -> Intent:
    """Return the intent where the ledger does not answer: a card turn meets it again, and says so.

    What is not a wish of its own and follows a question about a card goes there too: "okay" to it would be a promise.
    """
    before = last_said(history)
    last = before.rstrip().removesuffix("?").rpartition("?")[2]
    asked = before.rstrip().endswith("?") and (says_pin(last) or _ASKS_OF_A_CARD.search(last))
    if asked and nearest.routes[0] in ("smalltalk", "out_of_scope") and nearest.topic != "goodbye":
        return Intent(("card",), "answer", Operation.STATUS, decided_by="dialogue")
    return nearest


def question_first(intent: Intent, text: str) -> Intent:
    """Return the intent of a turn that asks how something goes which only a person can do: answered, then a person."""
    if intent.routes == ("handoff",) and intent.topic in _FOR_A_PERSON and _ASKS_HOW.search(text):
        return replace(intent, routes=("knowledge", "handoff"))
    return intent


def first_things_first(intent: Intent, phone: str | None) -> Intent:
    """Return the intent of somebody whose card is being misused as a wish to block it, before he goes to a person."""
    if intent.topic != "fraud_in_progress" or phone is None:
        return intent
    return replace(intent, routes=("card", "handoff"), action=Operation.BLOCK)


def wants_person(intent: Intent, history: list[Turn]) -> Intent:
    """Return the intent of a turn that accepts the offer of a person, which the last assistant turn made."""
    before = last_said(history)
    offered = "put you through" in before and not before.rstrip().endswith("?")
    if offered and is_yes(turn_text(history)):
        return Intent(("handoff",), "person", decided_by="dialogue")
    return intent
