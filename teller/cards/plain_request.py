"""Whether a wish is put so plainly that chat may do it at once, or is better asked about first."""

import re

from teller.cards.policy import POLICY
from teller.cards.records import Operation
from teller.cards.spoken import heard_words

_DOUBT = re.compile(
    r"\b(?:don't|do not|not|never|won't|wouldn't|shouldn't|without|if|unless|instead|before|after|later|tomorrow)\b"
    r"|\bwhether\b|\b(?:so|but|and) (?:how|what|when|why|where|which|who)\b"
    r"|^(?:how|what|what's|when|why|where|which|who|does|do|is|are|can i|could i|should|may i|will|did|has|have)\b"
)
_OPENING = re.compile(r"^(?:(?:uh|um|er|so|well|hi|hey|hello|please|okay|ok|and|yeah|yes)\s+)+")
_SHOWN = re.compile(r":(?!\d)|[\"“”„«»`<>{}]|(?<!\w)['‘][^'’]+['’](?!\w)")  # noqa: RUF001 (typographic marks)
"""Words that are shown, not said: quoted, or after a colon."""

_CLAUSE = re.compile(r"[.,;!?\n()\u2013\u2014]|\s-+\s|\b(?:and|so|but|because|cause|cos|then|or)\b", re.IGNORECASE)
_ASKED = (
    r"(?:(?:can|could|would|will) you|(?:you|u) (?:must|should|need to|have to|can)"
    r"|(?:i|we)(?:'d| would| really| urgently| just| do)* (?:have to|got to|must|wanna|gotta|mean"
    r"|(?:want|need|wish|like|ask|request)(?: you)?(?: to)?)"
    r"|(?:i'm|i am|we're|we are)(?: just)? (?:calling|writing|here|trying|looking|asking|going)(?: you)? to"
    r"|(?:want|need|like|have|got) to|wanna|gotta|help(?: me)?(?: to)?|let(?:'s| me| us))"
)
_LEAD = (
    r"(?:(?:please|pls|plz|kindly|just|now|quick|quickly|immediately|urgent|urgently|emergency|asap|right away"
    r"|straight away|at once|help|go ahead|go on|sorry|hi|hey|hello|there|good (?:morning|afternoon|evening)|oh|uh|um"
    r"|er|well|yes|yeah|ok|okay|no|look|listen|temporarily|also|dear|sir|madam|teller|thanks|great|fine|my god|god"
    r") )*"
)
_AS_A_NOUN = r"(?:(?:put|place|set|get|have)(?: \w+){0,4} )?(?:(?:an?|temporary|immediate) )*"  # "put my card on lock"
_LONGEST = 60  # words; a longer turn tells more than a wish


def is_plain_request(turn: str, operation: Operation, *, sure: bool) -> bool:
    """Return whether a wish is put plainly. Only then may chat act on it at once; otherwise it is asked first.

    A verb of the operation has to be asked for: at the head of a clause, or after "can you", "I want to", "please" and
    the like. "Hotels block my card", "my son told me to block my card", "a poem about block my card" ask for nothing.
    Where no verb stands ("put a stop to my card"), it must have been understood surely. A negation, a condition, the
    form of a question about it, and words that are shown rather than said leave a doubt.
    """
    words = heard_words(turn)
    if len(words) > _LONGEST or _SHOWN.search(turn) or _DOUBT.search(_OPENING.sub("", " ".join(words))):
        return False
    verbs = POLICY[operation].verbs
    return _asked_for(turn, verbs) if not verbs.isdisjoint(words) else sure


def _asked_for(turn: str, verbs: frozenset[str]) -> bool:
    verb = rf"(?:{'|'.join(sorted(verbs))})"
    asked = re.compile(
        rf"(?:^{_LEAD}(?:{_ASKED} )?|\b(?:please|pls|plz) |\b{_ASKED} ){_LEAD}{_AS_A_NOUN}{verb}\b"
        rf"|\b{verb}(?: \w+){{1,6}} (?:please|pls|plz)$"
    )
    return any(asked.search(" ".join(heard_words(clause))) for clause in _CLAUSE.split(turn))
