"""Does a sentence hold the kind of thing that was asked for: an amount, a rate, a duration, a time, a count, an age?"""

import re
from functools import lru_cache

_NUMBER = r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty)"
_MEASURE = (
    rf"\b(?:{_NUMBER}|half\ an?|an?|few|several|couple\ of)[- ]?(?:to\ \w+\ |or\ \w+\ )?"
    r"(?:business\ |working\ |calendar\ |billing\ )?(?:second|minute|hour|day|week|month|quarter|year)s?\b"
)
_DATE = (
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|weekdays?|weekends?|holidays?|midnight|noon"
    r"|january|february|march|april|june|july|august|september|october|november|december)\b"
    r" | \bmay\ \d | \d\ may\b | \b\d{4}-\d\d | \b\d{1,2}(?:st|nd|rd|th)\b"
)
_CLOCK = (
    r"\d\s?[ap]\.?m\b | (?<![\d.,$\u00a3\u20ac])(?<!EUR\ )(?<!GBP\ )(?<!USD\ )(?<!CHF\ )\b\d{1,2}[.:]\d\d\b(?!\s?%)"
)
_MONEY = r"[$\u00a3\u20ac]\s?\d | \b\d+\s?(?:p|c)\b | \b(?:EUR|USD|GBP|CHF)\s?\d | \d\s(?:EUR|USD|GBP|CHF)\b"

# What asks for a kind of answer; the first one that does decides.
_ASKS = {
    "deadline": r"""^(?:(?:so|and|or)\ )?when\b | \b(?:by|till|until)\ when\b | \bdeadline\b
                 | \bhow\ (?:late|early)\ (?:can|may|do)\ i\b | \b(?:last|closing|cut[- ]?off)\ (?:day|date|time)s?\b
                 | \bhow\ (?:late|early)\ in\ the\b | \b(?:the\ latest|the\ earliest)\ (?:i|we|you|it|they)\b""",
    "age": r"\bhow\ (?:old|young)\b | \bwhat\ age\b | \boldest\b",
    "phone": r"\b(?:phone|telephone|what)\ number\b | \bwhat\b.*\bnumber\b.*\bcall\b",
    "date": r"""\bsince\ when\b | \b(?:what|which)\ (?:\w+\ )?(?:time|weekday|day|date)s?\b | \bclosing\ dates?\b
             | \bwhen\ (?:is|are|was|were|do|does|did|will|can|would)\b""",
    "duration": r"""\bhow\ (?:long|soon|fast|quick(?:ly)?|early|often|far\ (?:ahead|in\ advance|back)
                    |many\ (?:days|weeks|months|years|hours)|much\ (?:notice|warning|time|longer))\b""",
    "rate": r"""\b(?:what|which|how\ much|the|any)(?:['\u2019]?s|\ is|\ are)?(?:\ (?!without\b|no\b)\w+){0,6}?
                \ (?:apr|apy|interest|percent(?:age)?|rates?)\b
             | ^(?:(?:so|and|ok|the)\ )*(?:apr|apy|interest|rates?)\b
             | \bwhat\ (?:share|proportion|percent(?:age)?)\b""",
    "price": r"""^(?!.*\b(?:how\ much\ of|fee|charge|penalty|fine|reward|earn|cash\ back)).*(?:\bhow\ much\ (?:is|are)\b
                 | \bhow\ much\b.*\bcosts?\b | \bpric(?:e|ed|es)\b | \bexpensive\b | \bcheap(?:er|est)?\b)""",
    "amount": r"""\bhow\ much\b | \b(?:cost|price|fee|charge)s?\b | \bpenalt(?:y|ies)\b | \b(?:the|a)\ fine\b
                  | \bwhat\ (?:do|would|will)\ i\ (?:owe|pay)\b | \bexpensive\b | \bcheap(?:er|est)?\b
                  | \bwhat(?:['\u2019]?s|\ (?:do|does|did|would|will|is|are))\ (?:\S+\ ){1,8}
                    (?:charged?|pay|paid|take|lose|earn(?:ing)?)\b
                  | \bwhat(?:['\u2019]?s|\ is)\ (?:that|it|each|(?:the\ )?(?:rent|excess|deposit|reward|bonus))\b""",
    "count": r"""\bhow\ many\b | \bmax(?:imum)?\b | \bmin(?:imum)?\b | \bhow\ (?:big|high|large|low|far|little)\b
              | \b(?:small|large|big|high|low)est\b | \blimits?\b | \b(?:the|at)\ (?:very\ )?(?:most|least)\b
              | \bwhat(?:['\u2019]?s|\ (?:do|does))\ (?:\S+\ ){1,6}get\b""",
    "time": r"""\bwhen\b | \b(?:what|which)\ (?:time|day|date)s?\b | \bhow\ late\b | \bwhich\ days?\b | \bhours\b
             | \bare\ you\ open\b""",
}

_HOLDS = {
    "age": r"\byears?\b | \bage[ds]?\b | \bolder\b | \bunder\ \d | \bat\ least\ \d | \bbetween\ \d",
    "phone": r"\d{3}[- ]\d{4} | \b\d{3}\b",
    "rate": r"\d\s?% | \bpercent\b | \binterest\b | \bfree\b",
    "duration": rf"""{_MEASURE} | \b(?:daily|weekly|monthly|immediately|at\ once|same\ day|in\ seconds|at\ any\ time)\b
                     | \b(?:every|each|once\ a)\ \w+""",
    "price": rf"""{_MONEY} | \b(?:free|waive[ds]?|cents?|dollars?|none|costs?\ nothing|never\ costs?
                 |(?:no|not)\ (?:\w+\ ){{0,2}}(?:fee|charged?|cost))\b""",
    "amount": rf"""{_MONEY} | \d\s?% | \b(?:free|waive[ds]?|cents?|dollars?|none|penalty|costs?\ nothing|never\ costs?
                  |pays?\ nothing|(?:no|not)\ (?:\w+\ ){{0,2}}(?:fee|charged?|cost)|\d+\ points?)\b""",
    "count": rf"\d | \b(?:{_NUMBER}|once|twice|no|unlimited|as\ (?:many|often))\b",
    "time": rf"""{_CLOCK} | {_DATE} | {_MEASURE} | \b(?:at\ once|immediately|same\ day|next\ (?:\w+\ )?day
                 |at\ any\ (?:time|hour)|day\ (?:and|or)\ night|due|before|after|once)\b""",
}

_ASKING = {kind: re.compile(pattern, re.IGNORECASE | re.VERBOSE) for kind, pattern in _ASKS.items()}
_HOLDS["deadline"] = _HOLDS["date"] = _HOLDS["time"]
_HOLDING = {kind: re.compile(pattern, re.IGNORECASE | re.VERBOSE) for kind, pattern in _HOLDS.items()}


def asked_type(question: str) -> str:
    """Return the kind of answer a question wants, or "" where any kind will do; its last line has the first say."""
    for turn in reversed(question.splitlines()):
        for kind, asking in _ASKING.items():
            if asking.search(turn):
                return kind
    return ""


@lru_cache(maxsize=20_000)
def holds(kind: str, text: str) -> bool:
    """Return whether a text holds an answer of that kind."""
    return bool(_HOLDING[kind].search(text))
