"""Whether words say that a card is to be left as it is, in more words than a no: it was found, or a mind was changed.

Strict: a single word that is not understood, and it is no such thing.
"""

import re

from teller.cards.records import Operation
from teller.cards.spoken import written_as_question

_I = r"(?:(?:i|we|i've|we've|i have|we have|my \w+(?: has)?|he|she|he's|she's)(?: (?:just|actually|now|already))* )?"
_THE_CARD = r"(?:it|my card|the card)"
_SOMEWHERE = (
    r"(?:in|under|behind|down|at) (?:my |the )?(?:(?:other|back|left|right) )?(?:pocket|bag|handbag|backpack|coat"
    r"|jacket|sofa|car|wallet|purse|house|home|kitchen|drawer|desk|bed|trousers|jeans)(?: pocket)?"
)
_FOUND = (
    rf"(?:(?:{_I}(?:found {_THE_CARD}|got {_THE_CARD} back|have {_THE_CARD} back)|(?:it|it's|it has)(?: just)? turned"
    rf" up)(?: {_SOMEWHERE})?|it (?:was|is) {_SOMEWHERE}|it's {_SOMEWHERE})"
)
_CHANGED = (
    r"(?:(?:i|i've|i have)(?: just)? changed my mind"
    r"|(?:(?:i'll|let's|we'll|you can|just) )?leave (?:it|that)(?: (?:for (?:now|today|the moment)|as it is|be|alone))?"
    r")"
)
_NO = r"(?:no|nope|nah|never ?mind|no need)"
_FINE = (
    r"(?:(?:it's|that's|it is|that is|i'm|i am|we're|it'll be|all is|all's|everything's)(?: all)?"
    r" (?:fine|ok|okay|good|alright|right)|all good|don't bother|don't worry(?: about (?:it|that))?"
    r"|forget (?:about )?(?:it|that))"
)
_SMALL = (
    r"(?:actually|hold on|hang on|wait|sorry|oh|ah|uh|um|er|well|so|hey|hi|but|and|thanks|thank you|cheers|please|now"
    r"|then|after all|again|though|just now|all along|god|my god|phew)"
)
_YES_TAKEN_BACK = re.compile(
    r"^(?:(?:yes|yeah|yep|ok|okay|sure|please|oh|do it|go ahead|block it|report it) )+"
    r"(?=(?:no|nope|never ?mind|wait|hold on|hang on|actually|sorry)\b)"
)
_LOST_ONES = (Operation.BLOCK, Operation.REPORT_LOST)  # whoever unblocks a card may have found it


def leaves_it(words: list[str], text: str, operation: Operation) -> bool:
    """Return whether an answer leaves a card as it is: "no, I found it", "I changed my mind", "no it's fine".

    Args:
        words: the answer in its normal form.
        text: the answer as it was said.
        operation: what was asked about. A card that was found is left alone only where it was to be stopped.
    """
    if written_as_question(text):
        return False
    said = _YES_TAKEN_BACK.sub("", " ".join(words))
    tells = rf"{_FOUND}|{_CHANGED}" if operation in _LOST_ONES else _CHANGED
    refuses = re.match(rf"(?:{_SMALL} ){{0,9}}{_NO}\b", said) or re.search(rf"\b(?:{tells})(?: |$)", said)
    return bool(refuses and re.fullmatch(rf"(?:(?:{tells}|{_NO}|{_FINE}|{_SMALL})(?: |$))+", said))
