"""What a caller's words answer to an open question: yes, no, a card, the digits of a PIN, or something else.

Strict on purpose: what is not wholly understood is no answer, so that no word is ever added to a yes unheard.
"""

import re
from collections.abc import Sequence
from typing import Literal

from teller.cards.choice import HINT_WORDS, Choice, card_hints, choose, choose_instead, corrects_itself
from teller.cards.dialogue import HeardQuestion
from teller.cards.left_alone import leaves_it
from teller.cards.policy import POLICY, fits
from teller.cards.records import Card, Operation, WishState
from teller.cards.spoken import heard_words, written_as_question
from teller.knowledge.question import is_question

Answer = Literal["yes", "no", "card", "both", "other"]

_YES = frozenset(
    "yes yeah yea yep yup yh y aye sure ok okay alright correct right exactly absolutely definitely certainly "
    "affirmative".split()
)
_YES_PHRASES = re.compile(
    r"\b(?:go ahead|do it|do that|do so|please do|of course|that(?:'s| is) (?:right|correct|fine)|yes it is"
    r"|that's the one|sounds good|i confirm|confirmed|sorry (?:yes|yeah|yep)"
    r"|go for it|go on then|(?:yes|yeah|yep|ok|okay) go on|(?:sure|yes|yeah|yep|ok|okay) why not"
    r"|(?:yes|yeah|yep) (?:(?:please )?(?:i )?do(?! i\b)|(?:i'm|i am) sure))\b"
)
_THAT_ONE = re.compile(r"\bthat one\b")
_STRETCHED = re.compile(r"([a-z])\1{2,}", re.IGNORECASE)
_FILL = frozenset(
    (
        "please thanks thank you uh um uhm er ah oh well so hey hi hello and just now then i'd like to my the it "
        "that a card i said want would this mm hmm mhm huh love dear mate sir madam ma'am miss quick quickly "
        "immediately god pal ta cheers"
    ).split()
)
_POLITE_PHRASES = re.compile(
    r"\b(?:thank you|i said|(?:i want|i'd like|(?:i )?would like) you to|i would|would (?:like|love|you))\b"
)
_OF_ANOTHER = frozenset("would said you".split())  # "would it block my card", "my love said yes", "so you block it"
_FORETOLD = frozenset("closes orders".split())  # so a question tells what will be; who says it again asks about it
_TAGS = frozenset("right correct".split())  # at the end they ask: "that is for good, right"
_NO = re.compile(
    r"(?:(?:no|nope|nah|not|never ?mind|cancel|stop|forget|leave"
    r"|(?:don't|do not)(?: (?:do|block|freeze|lock|unblock|activate|replace|report|close|bother))?)(?: |$))+"
)
_NO_AFTER_ALL = re.compile(
    r"^(?:(?:yes|yeah|yep|ok|okay|sure|please|that|it|uh|um|er|oh|block|freeze|lock|report|close|lost|stolen|wait|sorry"
    r"|actually|but|or)\s+)+"
    r"(?:(?:no|nope|never ?mind|not|stop|cancel|forget it|leave it"
    r"|(?:don't|do not)(?: (?:do|block|freeze|lock|report|close))?(?: it| that)?)(?:\s+|$))+$"
)
_STOPS_THE_CARD = re.compile(
    r"(?<!don't )(?<!do not )(?<!never )\b(?:stop|cancel|leave) (?:(?:my|the|this|that|a|please|just|now|uh|um) ){0,5}"
    rf"(?:cards|{'|'.join(sorted(HINT_WORDS))})\b"
    r"|^(?!(?:no|nope|never ?mind)\b).*(?<!don't )(?<!do not )(?<!never )\b(?:stop|cancel) it\b"
)
"""Words that may wish for what was asked about: who says "stop my card" wants it stopped, not left as it is."""

_CORRECTING = frozenset(
    "no nope not other one instead actually rather wait sorry wrong but mean meant i'm i'll is it's for use mine was "
    "mistake by all means think guess that's him her them ending ends in last four digits number with are".split()
)
_DENYING = frozenset("no nope not wrong meant mean instead actually rather wait sorry mistake".split())
_POLITE_NO = re.compile(r"\bno (?:thanks|thank you|ta|cheers)\b")
_ADDS = re.compile(r"\b(?:also|plus|too|as well|same|both|all)\b")
_GOES_ON = re.compile(r"\b(?:and|now|then)\b")  # to a further card, unless that one was denied
_DENIES_IT = re.compile(r"\bnot (?:that|this|it)\b|\b(?:wrong|meant|mistake)\b")
_NAYS = frozenset("no nope nah sorry wait actually oh".split())
_BOTH = re.compile(r"\b(?:both|all)(?: (?:of (?:them|em|my cards|the cards)|my cards|cards|the cards|three|two))?\b")


def read_answer(question: HeardQuestion, cards: Sequence[Card]) -> Answer:
    """Return what the caller's words answer to a question about a card or a confirming one.

    A card may be named to either: to a confirming question it must be another one ("no, the other one").
    """
    words = _unstretched(question.answer)
    if not words:
        return "other"
    text = " ".join(words)
    if _says_no(words) or leaves_it(words, question.answer, question.wish.operation):
        return "no"
    if question.clause.kind == "confirm" and not written_as_question(question.answer) and _is_yes(words, question):
        return "yes"
    if question.wish.state is WishState.DONE:
        return "other"
    if question.clause.kind == "card" and _wants_both(text, question):
        return "both"
    if not names_a_card(question, cards):
        return "other"
    return "no" if _denies_the_only_one(question, cards) else "card"


def _says_no(words: list[str]) -> bool:
    text = " ".join(words)
    if _STOPS_THE_CARD.search(text):
        return False
    refuses = _NO.fullmatch(" ".join(word for word in words if word not in _FILL))
    return bool(refuses or _NO_AFTER_ALL.match(text))


def _wants_both(text: str, question: HeardQuestion) -> bool:
    """Return whether the words say "both" and nothing that takes it back: "not both", "both, no, the Visa"."""
    return bool(_BOTH.search(text)) and not corrects_itself(text) and _only_about_cards(_BOTH.sub(" ", text), question)


def names_a_card(question: HeardQuestion, cards: Sequence[Card]) -> bool:
    """Return whether the words do nothing but say which card is meant; for a question about one, another card."""
    current = question.wish.card_among(cards)
    choice = choose_instead(cards, question.answer, current)
    words = [word for word in heard_words(question.answer) if not _is_part_of_a_last4(word, cards)]
    if not choice.named or not _only_about_cards(" ".join(words), question):
        return False
    return current is None or choice.cards != (current,)


def _denies_the_only_one(question: HeardQuestion, cards: Sequence[Card]) -> bool:
    """Return whether "not that one" names no other card, and the wish could change none: then it is a no."""
    current = question.wish.card_among(cards)
    left = choose_instead(cards, question.answer, current).cards
    return not card_hints(question.answer) and not any(fits(question.wish.operation, card) for card in left)


def points_elsewhere(words: str, cards: Sequence[Card], current: Card | None) -> Choice | None:
    """Return the card that words beside an open question name, whatever else they say; None where they name no other.

    It is no answer to act on, only what to ask about next: "the visa, the visa, quick", "no no, it's the gold one that
    is gone". A question names a card to ask something about it, and so points nowhere.
    """
    choice = choose_instead(cards, words, current)
    if is_question(words) or not choice.named or len(choice.cards) != 1 or choice.cards == (current,):
        return None
    return choice


def corrects(words: str) -> bool:
    """Return whether words do nothing but say that something was not meant so: "not that one", "no, the other".

    "The other one" alone denies nothing, and "thanks, and the other one" adds to what was done.
    """
    said = heard_words(words)
    text = _POLITE_NO.sub(" ", " ".join(said))
    if _ADDS.search(text) or (_GOES_ON.search(text) and not _DENIES_IT.search(text)):
        return False
    allowed = HINT_WORDS | _FILL | _CORRECTING | POLICY[Operation.BLOCK].verbs
    return _nothing_but(allowed, said) and not _DENYING.isdisjoint(text.split())


def adds_a_card(words: str) -> bool:
    """Return whether a turn wishes the same for a further card and says no more: "yes, and the other one too"."""
    said = heard_words(words)
    return only_names_a_card(words) and not {"too", "also", "same", "both", "and"}.isdisjoint(said)


def only_names_a_card(words: str) -> bool:
    """Return whether a turn says no more than which card: "and the gold one too", "what about the Visa"."""
    said = heard_words(words)
    allowed = (
        HINT_WORDS
        | _FILL
        | _YES
        | frozenset("too also same for what what's about how with both old new then as".split())
    )
    names = any(word in HINT_WORDS - _FILL - {"one", "credit", "debit"} or _is_last4(word) for word in said)
    return names and _nothing_but(allowed, said)


def wants_both(words: str) -> bool:
    """Return whether a wish is about all of the caller's cards: "both my cards", "all of them"."""
    return bool(_BOTH.search(" ".join(heard_words(words))))


def wanted_cards(words: str, cards: Sequence[Card]) -> tuple[Card, ...]:
    """Return the cards that a wish is about one after the other: all, or those that it names; none where it is one."""
    if wants_both(words):
        return tuple(cards)
    choice, said = choose(cards, words), heard_words(words)
    operations = [operation for operation, rule in POLICY.items() if not rule.verbs.isdisjoint(said)]
    return choice.cards if choice.each and len(operations) < 2 else ()


def is_yes(words: str) -> bool:
    """Return whether words say yes and nothing else, whatever the question was."""
    return _says_yes(_unstretched(words))


def says_no_then_yes(question: HeardQuestion) -> bool:
    """Return whether words say both to a confirming question: "no, just block it", "no wait, yes"."""
    words = _unstretched(question.answer)
    begun = next((place for place, word in enumerate(words) if word not in _NAYS), len(words))
    return not {"no", "nope", "nah"}.isdisjoint(words[:begun]) and _is_yes(words[begun:], question)


def _unstretched(text: str) -> list[str]:
    """Return the words of a text as they are spelt when nobody stretches them: "yesss", "noooo"."""
    return heard_words(_STRETCHED.sub(r"\1", text))


def _is_yes(words: list[str], question: HeardQuestion) -> bool:
    """The verb of what was asked says yes too, and the clause's own words may stand beside it."""
    clause = frozenset(heard_words(question.clause.text)) - {"shall"} - _FORETOLD
    if not (clause & HINT_WORDS - _FILL).isdisjoint(words) or _THAT_ONE.search(" ".join(words)):
        clause |= {"one"}  # "yes, the gold one", "yes, that one"
    return _says_yes(words, POLICY[question.wish.operation].verbs, clause)


def _says_yes(words: list[str], verbs: frozenset[str] = frozenset(), clause: frozenset[str] = frozenset()) -> bool:
    """Nothing may be left once yes-words, politeness and the clause's own words are out, and one of them says yes."""
    text, phrases = _YES_PHRASES.subn(" ", _POLITE_PHRASES.sub(" ", " ".join(words)))
    rest, polite = text.split(), _FILL - _OF_ANOTHER
    said = [word for word in rest if word not in polite]
    yes = (_YES | verbs) if said[:1] and said[0] in _YES else (_YES | verbs) - _TAGS
    return bool(phrases or not yes.isdisjoint(said)) and (_YES | verbs | clause).issuperset(said)


def _only_about_cards(text: str, question: HeardQuestion) -> bool:
    """Return whether nothing is left once the words that name cards, correct, and are polite are out."""
    return _nothing_but(HINT_WORDS | _FILL | _YES | _CORRECTING | POLICY[question.wish.operation].verbs, text.split())


def _nothing_but(allowed: frozenset[str], words: Sequence[str]) -> bool:
    """Return whether there are no other words than these, and last fours."""
    return all(word in allowed or _is_last4(word) for word in words)


def _is_part_of_a_last4(word: str, cards: Sequence[Card]) -> bool:
    """Return whether digits are those of one of the cards, in part: "not one two, I mean double three two one"."""
    return word.isdigit() and len(word) < len("4242") and any(word in card.last4 for card in cards)


def _is_last4(word: str) -> bool:
    return word.isdigit() and len(word) == len("4242")
