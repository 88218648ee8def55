"""What people say and what documents write: everyday words that stand for one another, in any trade.

Only words that mean the same wherever they stand belong here: a wrong pair answers a question that was not asked.
"""

import re
from collections.abc import Container
from functools import cache

from text_to_num import alpha2digit

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
lend borrow loan finance
undertaker funeral
died dead death deceased bereavement
mum mom mother parent
dad father parent
daughter son child children
job employment employer
instalment installment repayment
dodgy suspicious phishing
scam fraud fraudulent
unarranged unauthorised unauthorized
allow permit permission
authorise authorize
apply application applicant
decide decision
reply answer respond response
begin start commence
raise increase
reduce lower decrease
sum amount
notify inform
interest rate
shop store merchant retailer
supermarket grocery groceries
petrol gas gasoline fuel
valuation appraisal survey
flat apartment
id identity identification
mobile smartphone cellphone phone
phone call
text sms
spouse partner
overdrawn overdraft
overpay overpayment prepay prepayment
guarantor cosigner
collateral security secured
max maximum
min minimum
percent percentage proportion share
arrive reach
damaged broken bent worn
replacement replace new
inherit inheritance heir estate
advice advise adviser advisor
company business firm
student college university
retired retirement pension pensioner
cheque check
licence license
wheelchair accessible step
finish end mature maturity
ahead advance
stop cancel
content happy satisfied unhappy
"""

# What is said, and its plain word.
_PLAIN = (
    (r"\b(?:a|one) year and a half\b", "18 months"),
    (r"\b(?:two|2) and a half years\b", "30 months"),
    (r"\bhalf a year\b", "6 months"),
    (r"\bhalf a million\b", "500000"),
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
    (r"\bAGM\b", "annual general meeting"),
    (r"\blog(?:ging|ged)? (?:in|on)\b", "sign in"),
    (r"\bpass(?:ed|es)? away\b", "died"),
    (r"\b(?:take|taking|took|get|getting) (?:(?:my|the|any|some|more) )?(?:cash|money) out\b", "withdraw cash"),
    (r"\b(?:take|taking|took) out (?:cash|money)\b", "withdraw cash"),
    (r"\b(?:put|putting|pay|paying) (?:(?:my|the|any|some|more) )?(?:cash|money) in(?:to)?\b", "deposit cash"),
    (r"\bpay(?:ing)? (?:(?:it|them|this|that|my \w+|the \w+|a \w+) )?(?:back|off)\b", "repay"),
)
_OF_MANY_MEANINGS = frozenset({"new"})  # a new policy is no replacement
_WORD = re.compile(r"[a-z]+", re.IGNORECASE)
_SCALED = re.compile(r"(?<![\w.,])(\d[\d,]*(?:\.\d+)?)\s(hundred|thousand|grand|million)\b", re.IGNORECASE)
_SCALES = {"hundred": 1e2, "thousand": 1e3, "grand": 1e3, "million": 1e6}
_PLAINLY = [(re.compile(said, re.IGNORECASE), plain) for said, plain in _PLAIN]


def plainly(text: str) -> str:
    """Return what was said with idioms put plainly, and numbers from ten in digits, as documents write them.

    "What would that set me back" asks what it would cost; "two hundred and twenty thousand" is 220000, "220 grand" too.
    """
    for said, plain in _PLAINLY:
        text = said.sub(plain, text)
    # First where figures stand, or "30 thousand" would be "30 1000"; then again: "thirty grand" is "30 grand" by now.
    text = _SCALED.sub(_unscaled, text)
    return _SCALED.sub(_unscaled, "\n".join(alpha2digit(line, "en") if line else line for line in text.split("\n")))


def _unscaled(said: re.Match[str]) -> str:
    return f"{float(said[1].replace(',', '')) * _SCALES[said[2].lower()]:.0f}"


def in_words_of(vocabulary: Container[str], text: str) -> str:
    """Return a text with words that a vocabulary of stems lacks in a word of the same meaning that it has."""
    return _WORD.sub(lambda said: _word_of(vocabulary, said[0]), text)


def _word_of(vocabulary: Container[str], word: str) -> str:
    if word.casefold() in _OF_MANY_MEANINGS or stem(word.casefold()) in vocabulary:
        return word
    return next((other for other in _others(stem(word.casefold())) if stem(other) in vocabulary), word)


@cache
def _others(stemmed: str) -> tuple[str, ...]:
    """Return the words that mean the same as a stem, those of one meaning together."""
    lines = [line.split() for line in _SAME.split("\n")]
    return tuple(word for line in lines if stemmed in map(stem, line) for word in line if stem(word) != stemmed)


@cache
def same_meaning(stemmed: str) -> frozenset[str]:
    """Return the stems that mean the same as a stem."""
    return _groups().get(stemmed, frozenset())


@cache
def _groups() -> dict[str, frozenset[str]]:
    groups = [frozenset(map(stem, line.split())) for line in _SAME.split("\n") if line]
    words = frozenset().union(*groups)
    return {word: frozenset().union(*(group for group in groups if word in group)) - {word} for word in words}
