"""What people say and what documents write: everyday words that stand for one another, in any trade.

Only words that mean the same wherever they stand belong here: a wrong pair answers a question that was not asked.
"""

import re
from functools import cache

from teller.models.quote.stemming import stem

# Each line: words that may stand for each other.
_SAME = """
papers paperwork documents documentation
fee charge cost price penalty fine
quit cancel terminate
shut close
rush express expedite speedy overnight
contest dispute challenge
picture photo photograph snap
kid child children baby toddler
buy purchase
receive obtain
send transfer
bike bicycle
house home property
expire expiry lapse
holder owner
joint shared
help assistance support
mail post letter
branch office location
abroad overseas foreign
phone telephone
ring call dial
cd certificate
movie film dvd
car auto automobile vehicle
annual annually yearly year
monthly month
weekly week
daily day
biggest largest greatest
smallest tiniest
lose lost
trip travel vacation
maximum limit cap
minimum smallest least
wages salary paycheck income earnings
medicine medication pills prescription
pause freeze frozen
reserve book
jab shot vaccine
atm atms machine
quarters coins
staff employees
money cash funds
notice warning
stolen steal stole theft
visit appointment
"""

# What is said, and its plain word.
_PLAIN = (
    (r"\b(?:set|sets|setting) (?:me|us|you|people) back\b", "cost"),
    (r"\b(?:run|runs) (?:me|us|you)\b", "cost"),
    (r"\bgood (?:for|until|till)\b", "valid for"),
    (r"\bcash machines?\b", "ATM"),
    (r"\b(?:add|charge|put|tack) (?:\w+ )?on top\b|\badd anything\b", "charge a fee"),
    (r"\bpull(?:ing)? out\b", "withdraw"),
    (r"\b(?:money|put \w+|put) down\b", "down payment"),
    (r"(?:n't|not) go through\b", "n't go through, declined"),
    (r"\bhand(?:ing)? (?:(?:it|them|things|something|a book) )?in\b", "return"),
    (r"\bcall off\b", "cancel"),
    (r"\b(?:look(?:ing)? up)\b", "checking"),
)
_PLAINLY = [(re.compile(said, re.IGNORECASE), plain) for said, plain in _PLAIN]


def plainly(text: str) -> str:
    """Return what was said with idioms put plainly: "what would that set me back" asks what it would cost."""
    for said, plain in _PLAINLY:
        text = said.sub(plain, text)
    return text


@cache
def same_meaning(stemmed: str) -> frozenset[str]:
    """Return the stems that mean the same as a stem."""
    return _groups().get(stemmed, frozenset())


@cache
def _groups() -> dict[str, frozenset[str]]:
    groups = [frozenset(map(stem, line.split())) for line in _SAME.split("\n") if line]
    return {word: group - {word} for group in groups for word in group}
