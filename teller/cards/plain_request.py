"""Whether a wish is put so plainly that chat may do it at once, or is better asked about first."""

import re

from teller.cards.choice import HINT_WORDS, corrects_itself
from teller.cards.policy import POLICY
from teller.cards.records import Operation
from teller.cards.spoken import heard_words, written_as_question

_DOUBT = re.compile(
    r"\b(?:don't|do not|not|never|won't|wouldn't|shouldn't|without|if|unless|instead|before|after|later|tomorrow)\b"
    r"|\bwhether\b|\b(?:so|but|and) (?:how|what|when|why|where|which|who)\b"
    r"|\bnext (?:\w+day|week|month|year)\b|\bon \w+day\b|\bin (?:an?|a few|\w+) (?:hours?|days?|weeks?|months?)\b"
    r"|^(?:how|what|what's|when|why|where|which|who|does|do|is|are|can i|could i|should|may i|will|did|has|have)\b"
    r"|^in case\b"
)
_OPENING = re.compile(r"^(?:(?:uh|um|er|so|well|hi|hey|hello|please|okay|ok|and|yeah|yes)\s+)+")
_OPENS_WITH_A_CORRECTION = re.compile(r"^(?:(?:oh|no|sorry|wait|actually)\s+)+")  # of what was said before this turn
_SHOWN = re.compile(r":(?!\d)|[\"“”„«»`<>{}]|(?<!\w)['‘][^'’]+['’](?!\w)")  # noqa: RUF001 (typographic marks)
"""Words that are shown, not said: quoted, or after a colon."""

_CLAUSE = re.compile(r"[.,;!?\n()\u2013\u2014]|\s-+\s|\b(?:and|so|but|because|cause|cos|then|or)\b", re.IGNORECASE)
_ASKED = (
    r"(?:(?:can|could|would|will) (?:you|u|ya)|(?:you|u) (?:must|should|need to|have to|can)"
    r"|(?:i|we)(?:'d| would| really| urgently| just| do)* (?:have to|got to|must|wanna|gotta|mean"
    r"|(?:want|need|wish|like|ask|request)(?: you)?(?: to)?)"
    r"|(?:i'm|i am|we're|we are)(?: just)? (?:calling|writing|here|trying|looking|asking|going)(?: you)? to"
    r"|(?:want|need|like|have|got) to|wanna|gotta|help(?: me)?(?: to)?|let(?:'s| me| us))"
)
_LEAD = (
    r"(?:(?:please|pls|plz|kindly|just|now|quick|quickly|immediately|urgent|urgently|emergency|asap|right away"
    r"|straight away|at once|help|go ahead|go on|sorry|hi|hey|hello|there|good (?:morning|afternoon|evening)|oh|uh|um"
    r"|er|well|yes|yeah|ok|okay|no|wait|actually|look|listen|temporarily|also|dear|sir|madam|teller|thanks|great|fine"
    r"|my god|god) ){0,20}"  # bounded: two of these stand behind one another, and a long turn would take their square
)
_AS_A_NOUN = (
    r"(?:(?:put|place|set|get|have)(?: \w+){1,4} |an? )(?:(?:an?|temporary|immediate) )*"  # "put my card on lock"
)
_NAMES = "|".join(sorted(HINT_WORDS))
_OF_A_CARD = rf"(?:(?:my|the|this|that|our|both|all|of|these|those|a|damn|bloody|lost|stolen|\d+|{_NAMES}) )*"
_OBJECT = (  # "block everyone's cards", "lock my account", "freeze online payments on my card" name another
    rf"{_OF_A_CARD}(?:cards?|visa|mastercard|master|ones?|\d{{4}})\b(?! (?:of (?!mine|ours)|from|number (?!\d)))"
    r"|(?:it|them|mine)\b(?! from\b)|(?:both|all) of (?:them|em)\b"
    r"|(?:that|this|both|all)\b"
    r"(?=$| (?:please|now|right|for me|immediately|asap|quick|i|as|is|they|he|she|some\w+|just)\b)"
)
_YOU_DO = re.compile(r"\b(?:(?:can|could|would|will) (?:you|u|ya)|please|pls|plz)\b")  # a question that is a wish
_LONGEST = 60  # words; a longer turn tells more than a wish


def is_plain_request(turn: str, operation: Operation, *, sure: bool) -> bool:
    """Return whether a wish is put plainly. Only then may chat act on it at once; otherwise it is asked first.

    A verb of the operation has to be asked for: at the head of a clause, or after "can you", "I want to", "please" and
    the like. "Hotels block my card", "my son told me to block my card", "a poem about block my card" ask for nothing.
    Where no verb stands ("put a stop to my card"), it must have been understood surely. A negation, a condition, the
    form of a question about it, and words that are shown rather than said leave a doubt.
    """
    words = heard_words(turn)
    said = " ".join(words)
    if len(words) > _LONGEST or _SHOWN.search(turn) or _DOUBT.search(_OPENING.sub("", said)):
        return False
    if corrects_itself(_OPENS_WITH_A_CORRECTION.sub("", _OPENING.sub("", said))):
        return False
    if written_as_question(turn) and not _YOU_DO.search(said):
        return False
    verbs = POLICY[operation].verbs
    return _wishes_for(verbs, turn) if not verbs.isdisjoint(words) else sure


def asked_for(what: str, turn: str) -> bool:
    """Return whether a turn asks for something: at the head of a clause, or after "can you", "I want to", "please".

    Args:
        what: a regular expression for the words that name it.
        turn: what was said.
    """
    asked = re.compile(rf"(?:^{_LEAD}(?:{_ASKED} )?|\b(?:please|pls|plz) |\b{_ASKED} ){_LEAD}(?:{what})")
    return any(asked.search(clause) for clause in clauses(turn))


def _wishes_for(verbs: frozenset[str], turn: str) -> bool:
    verb = rf"(?:{'|'.join(sorted(verbs))})"
    if asked_for(rf"{verb}(?: down| up)?(?:$| (?:please|now)$| (?:{_OBJECT}))|{_AS_A_NOUN}{verb}\b", turn):
        return True
    pleads = re.compile(rf"\b{verb} (?:{_OBJECT}).* (?:please|pls|plz)$")
    return any(pleads.search(clause) for clause in clauses(turn))


def clauses(turn: str) -> list[str]:
    """Return the clauses of a turn, each in its normal form."""
    return [" ".join(heard_words(clause)) for clause in _CLAUSE.split(turn)]
