"""A turn that means little by itself: it denies, gives up or goes on with what was wished before it."""

import re
from dataclasses import replace

from graph.card_sentences import operation_told
from graph.history import earlier_turns
from graph.intent_rules import SURE
from graph.intents import IntentClassifier
from graph.private_words import gives_a_pin, without_masks
from graph.state import Intent
from teller.cards.answers import is_yes, only_names_a_card
from teller.cards.dialogue import Turn, last_said
from teller.cards.pin_words import says_pin
from teller.cards.policy import POLICY, TRANSITIONS
from teller.cards.records import Operation
from teller.knowledge.question import is_question

_DENIAL = re.compile(
    r"^(?:(?:no|nope|(?:never ?mind|forget|skip)(?: (?:that|it|about (?:that|it)))?|wait|sorry|actually"
    r"|(?:don't|do not) \w+ (?:it|that|the card|my card))\b[\s,.;!-]*)+"
    r"(?:(?:just|rather|but)\b\s*)*",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"\b(?:no[\s,]{1,3}){0,5}(?:don't|dont|do not|please don't|never)"
    r" (?:block|freeze|lock|unblock|cancel|close|report|replace)"
    r"(?: (?:it|that|them|any(?:thing)?|(?:my|the) (?:\w+ )?(?:cards?|one|visa|mastercard)))?\b",
    re.IGNORECASE,
)
_IT = re.compile(r"\b(?:it|they|that)\b", re.IGNORECASE)
_DOUBTS = re.compile(
    r"^(?:(?:oh|uh|um|er|so|and|but|wait|sorry|hang on|really)\b[\s,]*)*"
    r"(?:(?:are you|you|you're) (?:quite |really |absolutely |definitely )?(?:sure|certain|positive)|really"
    r"|is that (?:really |definitely )?(?:so|right|true|correct))(?: (?:about|of) (?:that|it|this))?[\s?.!]*$",
    re.IGNORECASE,
)
_LIKELY_AFTER_A_NO = 0.4  # to ask the same again would be deaf to the no, and what is wished instead is asked first
_RECENT = 3  # turns in which a wish is looked for that another card is to have, too


async def beside_what_is_denied(classifier: IntentClassifier, nearest: Intent, text: str) -> Intent:
    """Return what else a turn wishes that says what is not to be done: "don't block it, I want my money back".

    A denied block is no wish to lift one.
    """
    rest = _DENIED.sub(" ", text).strip(" ,.;!-")
    if not _DENIED.search(text) or nearest.action not in TRANSITIONS:
        return nearest
    wished = await classifier.classify(rest) if rest else replace(nearest, confidence=0.0)
    return replace(wished, asks_first=True)


async def after_a_no(classifier: IntentClassifier, nearest: Intent, text: str) -> Intent:
    """Return the wish about cards that follows a no ("never mind, just block it"), where there is one."""
    rest = _DENIAL.sub("", text)
    if rest in ("", text) or (nearest.action is not None and nearest.confidence >= SURE):
        return nearest
    wished = await classifier.classify(rest)
    if wished.routes != ("card",) or wished.confidence < _LIKELY_AFTER_A_NO:
        return nearest
    return wished if wished.confidence >= SURE else replace(wished, confidence=SURE, asks_first=True)


async def going_on(classifier: IntentClassifier, nearest: Intent, text: str, history: list[Turn]) -> Intent:
    """Return the intent of a turn, masked, that goes on with the matter before it; as it is where it does not.

    Whoever gives the PIN of another has no wish about a card of his own.
    """
    if nearest.topic == "others_card":
        return nearest
    if _DOUBTS.match(text) and (said := last_said(history)) and "ending" in said.lower():
        return _told_again(nearest, operation_told(said))
    return await _the_same(classifier, await _asked_of_it(classifier, nearest, text, history), text, history)


def _told_again(nearest: Intent, told: Operation | None) -> Intent:
    """Return the intent of who doubts what he was told of a card: it is read again, or told from the record."""
    if told:
        return replace(nearest, routes=("card",), action=told, confidence=0.0, asks_first=True)
    return replace(nearest, routes=("card",), topic="done_so_far", action=Operation.STATUS)


async def _asked_of_it(classifier: IntentClassifier, nearest: Intent, text: str, history: list[Turn]) -> Intent:
    """Return what a turn asks of the matter before it: "never mind that, what is it at the moment?"."""
    rest = _DENIAL.sub("", text)
    before = earlier_turns(history)[-1:]
    small = nearest.action is None and nearest.routes[0] in ("smalltalk", "out_of_scope")
    unsure = nearest.action not in (None, *TRANSITIONS) and nearest.confidence < SURE and rest != text
    if not before or not (small or unsure) or not (is_question(rest) and _IT.search(rest)):
        return nearest
    asked = await classifier.telling(f"{rest} {before[0]}")
    if asked is None:
        return nearest
    return replace(
        nearest, routes=("card",), action=asked, confidence=0.0, asks_first=True, request=f"{before[0]} {rest}"
    )


async def _the_same(classifier: IntentClassifier, nearest: Intent, text: str, history: list[Turn]) -> Intent:
    """Return the wish of the turns before for one that names another card and says no more: "and the gold one too".

    It was not said in full, so it is asked first. A PIN that nobody has asked for just now is for a wish before it.
    """
    asked = says_pin(last_said(history))  # an answer to that is the open wish's, or of one that is no more
    gives_pin = not asked and gives_a_pin(text) and (nearest.action is None or without_masks(text) == text)
    if not (gives_pin or only_names_a_card(text)):
        return nearest
    if not gives_pin and (told := operation_told(last_said(history))):
        return replace(nearest, routes=("card",), action=told, confidence=0.0, asks_first=True)
    said = [turn for turn in earlier_turns(history) if not (only_names_a_card(turn) or is_yes(turn))]
    for before in reversed(said[-_RECENT:]):  # in between, a PIN may have been given
        wished = await classifier.classify(without_masks(before))
        if wished.action and (not gives_pin or POLICY[wished.action].proof == "pin"):
            words = before if gives_pin else None  # which card it is for
            return replace(
                nearest, routes=("card",), action=wished.action, confidence=0.0, asks_first=True, request=words
            )
    return nearest
