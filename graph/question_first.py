"""The documents first: what they may answer is looked up in them, whatever else the turn is like."""

import re
from dataclasses import replace

from graph.intent_rules import SURE
from graph.state import Intent, Route
from teller.cards.policy import TRANSITIONS
from teller.cards.records import Operation
from teller.knowledge.asking import wants_to_know
from teller.knowledge.question import is_question, story_and_question

_SURE_ELSEWHERE = 0.65  # from here on a question is not the documents', whatever they may say
_SURE_OF_PERSON = 0.5  # ... and a wish for a person is one, question or not
_SURE_OF_NOBODY = 0.78  # ... and it has nothing to do with the bank
_SURE_OF_SMALL = 0.5  # ... and what is asked is asked of Teller, where it is like what is
_MAY_ASK = 0.15  # how likely a question must be theirs to be looked up in them first
_MAY_TELL_HOW = 0.05  # ... one about a person's matter that does not ask how that goes
_MAY_ASK_OF_CARDS = 0.1  # ... one about a card, where the card's sentence is told as well
# What a person is for, of which the documents may tell how it goes; and what is asked of the talk, never of them.
_MATTERS = ("dispute_open", "change_details", "account_service", "access_problem", "fraud_in_progress")
_OF_THE_TALK = ("repeat", "done_so_far")
_ASKS_NOTHING = ("hold_on", "thanks", "acknowledgement", "goodbye")
_ASKS_HOW = re.compile(
    r"\bhow (?:do|can|would|should|does|long|soon)\b|\bwhat (?:do i|should i|happens|would)\b|\bdo i (?:need|have to)\b"
    r"|\b(?:by )?when (?:do|can|would|should|does|will|is|are) (?:i|we|you|it|that)\b"
    r"|\bis there an? (?:fee|limit|way|deadline)\b|\bwhat(?:'s| is) the (?:process|procedure|deadline|fee)\b",
    re.IGNORECASE,
)
_ITS_STATE = re.compile(  # "what's my balance": of no interest to others, so no document tells it
    r"\b(?:what|where)(?:'?s| is| are)(?: [a-z]+)? (?:my|the money)\b"
    r"|\bhow much (?:money )?(?:is in|do i have|have i)\b",
    re.IGNORECASE,
)
_CARD = re.compile(
    r"\b(?:cards?|visa|mastercard|freeze|froze|frozen|(?:un)?block(?:ed)?|(?:un)?lock(?:ed)?)\b", re.IGNORECASE
)
_ANY_CARD = re.compile(
    r"\b(?:an? (?:\w+ ){0,2}(?:card|payment|purchase|transaction)|cards|payments|purchases)\b", re.IGNORECASE
)
_OWN = re.compile(r"\b(?:my|mine|our|me|(?:did|have|was|am) i|i was|i've|this|that)\b", re.IGNORECASE)
_OF_HIS = re.compile(r"\b(?:my|mine|our|(?:do|did|have|had|am) i|i(?:'ve| have) got|i owe|is it)\b", re.IGNORECASE)
_IF = re.compile(r"\bif\b", re.IGNORECASE)
_CLAUSES = re.compile(r"[,;:]\s+(?=(?:how|what|why|when|which|where)\b)", re.IGNORECASE)
_WH = re.compile(
    r"\b(?:how|what|why|when|which|where)\b|\bis (?:it|there)\b"
    r"|\bcan (?:one|people|some(?:one|body)|any(?:one|body))\b",
    re.IGNORECASE,
)
_A_CARD = re.compile(r"\b(?:cards?|visa|mastercard)\b", re.IGNORECASE)
_ASKS_WHETHER = re.compile(r"\bif\b|\b(?:is|was|are) (?:that|this|it|they|these|those)\b", re.IGNORECASE)


def asked_first(intent: Intent, turn: str) -> Intent:
    """Return the intent of a question that is half like one for a person or for nobody: the documents are asked first.

    Not for one that surely wishes for a person. What it was like is what is told if the documents do not answer; what
    is surely a person's matter goes to one after their answer, too. A question that names no card, and is like several
    wishes about cards but like none as much as like one for the documents, is theirs.
    """
    if not is_question(turn):
        return intent
    general = wants_to_know(turn) and not _ITS_STATE.search(turn)
    sure = intent.confidence >= _sure_of(intent)
    matter = intent.routes == ("handoff",) and intent.topic in _MATTERS and general
    small = intent.routes == ("smalltalk",) and intent.topic not in _OF_THE_TALK and wants_to_know(turn)
    elsewhere = (small or intent.routes[0] in ("handoff", "out_of_scope")) and intent.asks >= _MAY_ASK
    no_wish = intent.routes == ("card",) and intent.confidence < intent.asks and not _CARD.search(turn)
    asks_how = matter and (intent.asks >= _MAY_TELL_HOW or bool(_ASKS_HOW.search(turn)))
    if asks_how and sure and intent.topic != "access_problem":  # who gets in again by himself needs nobody
        return replace(intent, routes=("knowledge", "handoff"))
    if no_wish or (not sure and (elsewhere or matter)) or (asks_how and sure):
        return replace(intent, routes=("knowledge",), action=None, otherwise=instead(intent))
    return intent


def _sure_of(intent: Intent) -> float:
    """Return from what confidence on a question like this is no question for the documents."""
    if intent.topic == "person":
        return _SURE_OF_PERSON
    if intent.routes == ("out_of_scope",):
        return _SURE_OF_NOBODY
    asked_of_teller = intent.routes == ("smalltalk",) and intent.topic not in _ASKS_NOTHING
    return _SURE_OF_SMALL if asked_of_teller else _SURE_ELSEWHERE


def instead(intent: Intent) -> Route | None:
    """Return what is told of a turn that the documents do not answer, where that is not that they don't."""
    return intent.routes[0] if intent.routes[0] in ("handoff", "out_of_scope", "smalltalk") else None


def question_first(intent: Intent, text: str) -> Intent:
    """Return the intent of what is asked of cards in general ("why is a payment declined?"), or whether it was fraud.

    Both are for the documents; the latter for a person where they do not say.
    """
    asked = _CLAUSES.split(story_and_question(text)[1])[-1]
    of_cards = intent.action not in (None, Operation.STATUS)
    if of_cards and is_question(text) and _WH.search(asked) and _ANY_CARD.search(asked) and not _OWN.search(asked):
        return replace(intent, routes=("knowledge",), action=None, request=None, also=None)
    whether = intent.topic == "fraud_in_progress" and is_question(text) and _ASKS_WHETHER.search(text)
    if "handoff" in intent.routes and intent.question is None and whether and not _A_CARD.search(text):
        return replace(intent, routes=("knowledge",), otherwise="handoff")
    return intent


def without_caller(intent: Intent, text: str, goes_on: bool) -> Intent:
    """Return the intent of a caller who is not known and whose turn is like a wish about a card: none can be told of.

    What asks is looked up in the documents first, and that he can't be seen is told where they do not answer it. What
    surely wishes for something to be done, or to be told of a card of his own, hears it at once. `goes_on`: the turn
    goes on with a question. What asks about somebody else's card is looked up too: no card can be touched for it.
    """
    if intent.topic == "others_card" and is_question(text) and wants_to_know(text):
        return replace(intent, routes=("knowledge",), otherwise="handoff")
    tells = intent.action not in TRANSITIONS
    may_ask = tells and intent.confidence < SURE and intent.asks >= _MAY_ASK  # "lowest limit on the student card"
    if intent.routes != ("card",) or not (goes_on or may_ask or is_question(text)):
        return intent
    surely = intent.confidence >= SURE and (bool(_OF_HIS.search(text)) if tells else not wants_to_know(text))
    if not surely or (goes_on and _IF.search(text)):
        return replace(intent, routes=("knowledge", "card"), otherwise="card")
    return replace(intent, routes=("knowledge", "card")) if intent.asks >= _MAY_ASK_OF_CARDS else intent
