"""Where a turn begins to ask, in speech without commas or question marks: "i lost my key how much is another one".

English marks a question by its order of words, and a recogniser keeps that order when it drops everything else: an
interrogative with its verb before the subject ("what papers do I", "how much is the"), a verb of asking with an
interrogative behind it ("I was wondering whether"), or a verb before its subject ("is there any", "do you").
"""

import re

_SUBJECT = (
    r"(?:i|you|ye|y'all|we|they|he|she|it|there|this|that|these|those|the|my|your|our|his|her|their|its|an?|any\w*"
    r"|some\w*|each|every\w*|one|people)"
)
_AUXILIARY = r"(?:do|does|did|is|are|was|were|am|can|could|will|would|should|shall|may|might|must|have|has|had)"
_INTERROGATIVE = r"(?:how|what|when|where|which|whose|who|whom|why)"
_LEADING = r"(?:(?:by|from|since|at|for|until|till?|on|in|to|with|of|under|over|through|within|after)\s+)?"
_NOUNS = (  # "what *papers* do I", "which *of your offices* have a": no subject, no verb
    rf"(?:\s+of\s+(?:the|my|your|our|his|her|their|all|that|this)\b|\s+(?!{_SUBJECT}\b|{_AUXILIARY}\b|to\b)[\w'-]+){{0,6}}"
)
_NO_QUESTION = r"(?<!n't )(?<!not )(?<!nt )(?<!never )(?<!matter )(?<!that's )(?<!thats )(?<!is )(?<!of )"
_INVERTED = (
    rf"(?!(?:which|who)\s+(?:is|was|are|were|ha[sd]|have|can|could|will|would)\b){_INTERROGATIVE}{_NOUNS}\s+(?:(?:do|does|did)\b|{_AUXILIARY}(?:n't)?\s+(?:all\s+)?{_SUBJECT}\b)"
    rf"|(?:how|what|when|where|who)(?:'?s|'re|'ll|'d)\s+{_SUBJECT}\b"
    rf"|{_NO_QUESTION}how\s+(?:much|many|long|soon|often|late|early|far|old|fast|quick(?:ly)?)\b"
    r"|what\s+(?:happens|(?:will|would)\s+happen)\b|what\s+(?:about|if)\b|how\s+about\b"
    r"|(?<=[,;] )(?:which|what)\s+\w+$"
)
_SAID_AS_QUESTION = (
    r"(?<!n't )(?<!not )(?<!nt )(?:know|wonder(?:ing|ed)?|tell me|ask(?:ing)?(?: you)?|find out|curious|explain)"
    rf"\s+(?:about\s+)?(?:if|whether|{_LEADING}{_INTERROGATIVE})\b"
)
_VERB_FIRST = (
    r"(?<!what )(?<!that )(?<!which )(?<!than )(?<!as )(?<!so )(?<!nor )(?<!neither )(?<!all )"
    r"(?:(?:is|are|was|were)\s+there\b"
    r"|(?:is|are)\s+(?:it|that|this|they|these|those)\s+(?:\w+ed|possible|true|free|ok(?:ay)?|normal|enough|safe)\b"
    r"|(?:do|does|did)\s+(?:i|you|ye|we|they)\b|(?:does|did)\s+(?:he|she|it|the|my|your|this|that)\b"
    r"|(?:can|could|may|should|must)\s+(?:i|we|they|he|she|it|one)\b|am\s+i\s+\w+)"
    rf"|(?<=[,;] )(?!do\b){_AUXILIARY}\s+{_SUBJECT}\b|(?<=[,;] )(?:is|are)\s+\w+"
)
_WANTS_TO_KNOW = re.compile(rf"\b{_LEADING}(?:{_INVERTED})|\b(?:{_SAID_AS_QUESTION})", re.IGNORECASE)
_ASKS = re.compile(rf"{_WANTS_TO_KNOW.pattern}|\b(?:{_VERB_FIRST})", re.IGNORECASE)


def asking_at(turn: str) -> int | None:
    """Return where the last clause of a turn begins that asks; None where none does."""
    return max((match.start() for match in _ASKS.finditer(turn)), default=None)


def first_asking(turn: str) -> re.Match[str] | None:
    """Return the first clause of a turn that asks, from where it begins to where it is known to ask; None: none asks.

    All of it may be a longer match than its beginning alone would be.
    """
    return _ASKS.search(turn)


def wants_to_know(turn: str) -> bool:
    """Return whether a turn asks for something to be told, by an interrogative: "can you block it" is a wish."""
    return bool(_WANTS_TO_KNOW.search(turn))
