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
from teller.knowledge.asking import wants_to_know
from teller.knowledge.question import is_question, leans_on_history

SURE = 0.5
"""Below this confidence a turn beside an open question is taken for one that was not understood."""

_ASKS_OF_A_CARD = re.compile(r"\b(?:shall i|which card)\b", re.IGNORECASE)
BESIDE_A_QUESTION = {"robot": "robot_beside_a_question", "about_you": "about_you", "hold_on": "hold_on"}
"""What is said of smalltalk beside an open question, before it is asked again; to all other it is simply asked."""
_RELATIVE = (
    r"(?:mum|mom|mam|mother|dad|father|wife|husband|son|daughter|brother|sister|partner|friend|boss|neighbou?r"
    r"|girlfriend|boyfriend|fianc[eé]e?|nan|gran|grandm\w+|grandp\w+|uncle|aunt|cousin|kid|child|parents?|roommate)"
)
_ANOTHERS = re.compile(
    rf"\b(?:her|his|their|{_RELATIVE}(?:'s|s')) (?:own )?(?:\w+ )?(?:cards?|visa|mastercard|pin)\b"
    rf"|\bcards? of (?:my {_RELATIVE}|(?!mine|my|yours|the|this|that|any|one|a\b)[a-z]+)\b",
    re.IGNORECASE,
)
_IF_ANYONE = re.compile(r"\b(?:if|when|suppose|say) (?:some|any)(?:one|body)\b", re.IGNORECASE)
_ASKS_IF_ROBOT = re.compile(
    r"\b(?:are you|is (?:this|that|it)|am i|do i have|have i got|you're|you are)\b[a-z' ]{0,60}"
    r"\b(?:robot|bot|machine|computer|human|person|recording|automated|ai|chatbot|real)\b",
    re.IGNORECASE,
)
_ASKS_WHAT_WAS_DONE = re.compile(
    r"\bwhat (?:did|have|had|was it|is it) (?:that )?you\b[a-z' ]{0,60}\b(?:do|done|did|changed?)\b", re.IGNORECASE
)
_MISUSED = re.compile(
    r"\b(?:they|he|she|who|someone|somebody|thief|is|are|keeps?|'s|'re)\b[a-z' ]{0,20}"
    r"\b(?:buying|paying|spending|shopping|using|charging|purchasing|withdrawing)\b",
    re.IGNORECASE,
)
_RAISES = re.compile(
    r"\b(?:rais(?:e|ed|ing)|increas(?:e|ed|ing)|higher|bigger|extend(?:ed)?|bump(?:ed)?)\b"
    r"|\b(?:put|push|move|take)\b.{0,30}\bup\b",
    re.IGNORECASE,
)
_LATER = re.compile(r"\b(?:will|would|won't)\b", re.IGNORECASE)
_PUT_THROUGH = re.compile(r"\b(?:put|pass|patch) me (?:through|over)\b|\b(?:connect|transfer) me\b", re.IGNORECASE)
_FORGOTTEN = re.compile(
    r"\b(?:forg[eo]t\w*|lost|never|no|not|don't|dont|can't|cannot|haven't|didn't|without|remember|gone|if)\b",
    re.IGNORECASE,
)
_ACCEPTS_A_PERSON = re.compile(
    r"^(?:(?:yes|yeah|yep|sure|ok|okay|please|fine|alright|all right|right|oh|well|then|good)\b[\s,.!]{0,3}){1,6}"
    r"[a-z' ]{0,80}\b(?:put me through|connect me|transfer me|person|someone|somebody|human|agent|colleague|operator)\b"
    r"[a-z' ]{0,80}[.!]*$",
    re.IGNORECASE,
)
_DENIES = re.compile(r"\b(?:no|not|don't|never)\b", re.IGNORECASE)
_DIGITS_OF_A_PHONE = 7


def beside_open_question(nearest: Intent, wish: Wish, text: str) -> Intent:
    """Return the intent of a turn that does not answer the open question: it is asked again, after what else is due.

    A new wish about cards takes its place, and so does a caller who wants a person or says goodbye, unless a yes is
    just settling, which these words may have changed.
    """
    how_it_will_be = nearest.action is Operation.STATUS and is_question(text) and _LATER.search(text)
    if how_it_will_be:
        return Intent(("knowledge", "card"), nearest.topic, wish.operation, nearest.confidence, decided_by="dialogue")
    of_the_question = nearest.otherwise in ("out_of_scope", "smalltalk") and leans_on_history(text)  # "can I type it?"
    if of_the_question or (nearest.topic == "forgotten_pin" and not _FORGOTTEN.search(text)):
        return Intent(("card",), "answer", wish.operation, nearest.confidence, decided_by="dialogue")
    sure_of_card = "card" in nearest.routes and (nearest.confidence >= SURE or _names_another(nearest, wish, text))
    leaves = nearest.routes == ("handoff",) or nearest.topic == "goodbye"
    if sure_of_card or (leaves and wish.state is not WishState.SETTLING):
        return nearest
    if nearest.topic == "done_so_far":
        return nearest
    if nearest.topic in BESIDE_A_QUESTION and nearest.confidence >= SURE:
        return replace(nearest, routes=("smalltalk", "card"), action=wish.operation, decided_by="dialogue")
    if is_question(text) and nearest.confidence < SURE and nearest.routes[0] in ("knowledge", "card"):
        return Intent(("knowledge", "card"), nearest.topic, wish.operation, nearest.confidence, decided_by="dialogue")
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


def first_things_first(intent: Intent, phone: str | None) -> Intent:
    """Return the intent of somebody whose card is being misused as a wish to block it, before he goes to a person."""
    if intent.topic != "fraud_in_progress" or "handoff" not in intent.routes or phone is None:
        return intent
    return replace(intent, routes=("card", "handoff"), action=Operation.BLOCK)


def wants_person(intent: Intent, history: list[Turn]) -> Intent:
    """Return the intent of a turn that asks to be put through, or accepts the offer that was made last."""
    before = last_said(history)
    offered = "put you through" in before and not before.rstrip().endswith("?")
    said = turn_text(history)
    if intent.routes == ("smalltalk",) and _PUT_THROUGH.search(said) and not _DENIES.search(said):
        return Intent(("handoff",), "person", decided_by="dialogue")
    if offered and (is_yes(said) or (_ACCEPTS_A_PERSON.match(said) and not _DENIES.search(said))):
        return Intent(("handoff",), "person", decided_by="dialogue")
    return intent


def of_another(intent: Intent, text: str) -> Intent:
    """Return the intent of a wish about somebody else's card: his own are not touched for it, and a person helps.

    The card of nobody in particular ("if someone keeps the PIN with their card") is asked of in general.
    """
    if intent.routes == ("knowledge",) or not _ANOTHERS.search(text):
        return intent
    if _IF_ANYONE.search(text) and wants_to_know(text):
        return replace(intent, routes=("knowledge",), action=None, request=None, also=None, otherwise="handoff")
    return Intent(("handoff",), "others_card", confidence=1.0)


def asks_of_teller(intent: Intent, text: str) -> Intent:
    """Return the intent of who asks, among other small words, whether this is a machine, or what was done just now."""
    if intent.routes[0] not in ("smalltalk", "out_of_scope"):
        return intent
    if _ASKS_WHAT_WAS_DONE.search(text):
        return replace(intent, routes=("smalltalk",), topic="done_so_far", confidence=1.0)
    if _ASKS_IF_ROBOT.search(text):
        return replace(intent, routes=("smalltalk",), topic="robot", confidence=1.0)
    return intent


def ends_the_call(intent: Intent) -> Intent:
    """Return the intent of who may be saying goodbye: nobody is hung up on for words that were not surely one."""
    unsure = intent.topic == "goodbye" and intent.confidence < SURE
    return replace(intent, topic="acknowledgement") if unsure else intent


def is_misused(intent: Intent, text: str) -> Intent:
    """Return the intent of who reports a stolen card with which somebody is paying: that comes first."""
    if intent.action is not Operation.REPORT_LOST or not _MISUSED.search(text):
        return intent
    return replace(intent, routes=("handoff",), topic="fraud_in_progress", action=None, also=None, request=None)


def raises_limit(intent: Intent, text: str) -> Intent:
    """Return the intent of who wants another limit: a person raises it, and telling the present one is no answer."""
    if intent.action is not Operation.LIMIT or not _RAISES.search(text):
        return intent
    return replace(intent, routes=("handoff",), topic="account_service", action=None, also=None, request=None)


def says_a_number(intent: Intent, text: str) -> Intent:
    """Return the intent of a caller without a number who says one: it counts for nothing, and he is told so again."""
    digits = sum(len(word) for word in heard_words(text) if word.isdigit())
    if intent.routes[0] in ("card", "knowledge") or digits < _DIGITS_OF_A_PHONE:
        return intent
    return Intent(("card",), "status", Operation.STATUS)
