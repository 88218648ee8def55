"""What a question asks for: its words and what they weigh, its focus, and the form of answer that fits it."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import itemgetter

from teller.knowledge.question import continues, leans_on_history
from teller.models.quote.answer_type import asked_type
from teller.models.quote.facets import Facet, facets
from teller.models.quote.question_words import all_stems, stems, weight, words_and_stems

_EARLIER_TURN = 0.35  # what a word of an earlier turn counts beside one of the last turn
_FEW = 4  # words; a turn with fewer goes on with the one before it
_LONGEST_TOPIC = 8  # words
_OVERVIEW = re.compile(
    r"""^(?:(?:so|and|ok|okay|hi|hello|hey|well|yes|yeah|please|also|can\ you|could\ you|would\ you)\b[\s,.]*)*
    (?:
      tell\ (?:me|us)\ (?:(?:a\ bit|a\ little|a\ little\ bit|something|more|all|everything)\ )*about
    | (?:explain|describe)
    | (?:give\ me\ |some\ |any\ |i\ (?:need|want)\ )*(?:more\ )?(?:information|info|details)\ (?:on|about|regarding)
    | what\ can\ you\ tell\ (?:me|us)\ about | what\ do\ you\ know\ about
    | (?:i'm|i\ am|we're|we\ are)\ (?:interested\ in|curious\ about|looking\ (?:for|at|into)|thinking\ (?:of|about))
    | (?:i'd|i\ would|we'd)\ (?:like|love)\ (?:to\ (?:know|learn|hear)|some|more)\ (?:more\ )?
      (?:information\ |info\ )?(?:about|on)
    | i\ (?:want|need)\ to\ (?:know|learn|hear)\ (?:more\ )?about
    | (?P<follows>what\ about|how\ about)
    )\ (?P<topic>.+)$ | ^how\ (?:do|does)\ (?P<works>.+)\ work\W*$""",
    re.IGNORECASE | re.VERBOSE,
)
_ASKS_MORE = re.compile(r"\b(?:how|what|when|where|which|who|why|cost|fees?|rates?|price)\b", re.IGNORECASE)
_ASKS_LIST = re.compile(
    r"\b(?:what|which) (?:\w+ ){0,3}?(?:documents?|papers?|paperwork|things|requirements|steps)\b"
    r"|\bwhat (?:all )?(?:do|should|must|will|can|would) i (?:\w+ ){0,4}?"
    r"(?:need|bring|show|have|prepare|provide|take)\b"
    r"|\b(?:what|which) (?:\w+ ){0,2}?"
    r"(?:details|information|info|reasons|ways|cases|bills|conditions|exceptions|items|benefits)\b"
    r"|\bwhat (?:am|are|is) (?:i|we|one|you) (?:not |never )?allowed\b|\bwhat(?:'s| is| are) not\b"
    r"|\bwhat (?:can't|cannot|can not) i\b"
    r"|\bneed to (?:bring|show|have|provide)\b|\blist\b|\brequirements?\b|\bwhat .*\b(?:required|needed)\b",
    re.IGNORECASE,
)
_ASKS_RANGE = re.compile(r"\b(?:what|which)\b.*\b(?:classes|options|ways|kinds|types|sorts)\b", re.IGNORECASE)
_ASKS_HOW = re.compile(
    r"\bhow (?:do|can|could|should|would) (?:i|we|you|one)\b|\bhow to\b|\bsteps\b|\bwalk me through\b", re.IGNORECASE
)
_ASKS_WHETHER = re.compile(
    r"(?:(?:so|and|but|ok|okay|hi|hello|please|also)\b[\s,]*)*"
    r"(?:can|could|do|does|did|is|are|am|will|would|may|must|has|have|should)\b",
    re.IGNORECASE,
)
_COUNTED = frozenset({"months", "percent", "age", "money"})
_FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?|^[a-z]+", re.IGNORECASE)
_CAPITAL = re.compile(r"(?<=[a-z,'\d] )([A-Z][\w'-]+)")
# What names a thing stands after one of these, and ends at the next function word: "a late *laptop*".
_BEFORE_THINGS = frozenset(
    "a an the your my our any some many much which what no for on of about with in have offer sell finance".split()
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question read: several lines where the last one asks and the others are what it may lean on.

    `facets` are the amounts, terms, days and years it names: those of earlier lines too, where the last one names none
    of their kind. `words` are the other content words of all lines with what they weigh, `things` those of the last
    line that name a thing ("is there a *sign-up bonus* on the *gold card*"), `topic` those of the line before, if the
    last one leans on it, `heads` the last words of its things, `names` its words with a capital, `pairs` its
    neighbouring words, `kind` the type of the answer ("amount", "time"; "" for any). `names_another`: the last line
    only names what else is asked of ("and to Peru").
    """

    turn: str
    facets: tuple[Facet, ...]
    heads: frozenset[str]
    words: Mapping[str, float]
    things: Mapping[str, float]
    topic: Mapping[str, float]
    pairs: tuple[tuple[str, str], ...]
    names: frozenset[str]
    kind: str
    wants_list: bool
    may_be_list: bool
    wants_steps: bool
    wants_yes_or_no: bool
    wants_overview: bool
    has_story: bool
    leans: bool
    names_another: bool


def read(question: str) -> Asked:
    """Return what a question asks: one line, or several of which the last one asks."""
    *earlier, turn = question.splitlines()
    overview = _OVERVIEW.match(turn)
    topic = (overview["topic"] or overview["works"]) if overview else ""
    wants_overview = bool(overview) and not _is_typed(topic, bool(overview and overview["follows"]), earlier)
    leans = bool(earlier) and leans_on_history(turn)
    steps = bool(_ASKS_HOW.search(turn))
    said = topic if wants_overview else turn
    words = {word: _EARLIER_TURN * weight(word) for line in earlier for word in _told(line)}
    return Asked(
        turn=turn,
        facets=_facets(earlier, turn),
        heads=_heads(_told(topic) if wants_overview else [], turn),
        words=words | {word: weight(word) for word in _told(said)},
        things={word: weight(word) for word in (_told(said) if wants_overview else _things(turn))},
        topic={word: weight(word) for word in _things(earlier[-1])} if leans else {},
        pairs=tuple(pairwise(all_stems(turn))),
        names=_names(turn),
        kind="" if wants_overview or steps else asked_type("\n".join([*earlier, turn])),
        wants_list=bool(_ASKS_LIST.search(turn)),
        may_be_list=bool(_ASKS_RANGE.search(turn)),
        wants_steps=steps,
        wants_yes_or_no=bool(_ASKS_WHETHER.match(turn)),
        wants_overview=wants_overview,
        has_story=bool(earlier),
        leans=leans,
        names_another=bool(earlier)
        and continues(turn)
        and not _ASKS_MORE.search(turn)
        and not _ASKS_WHETHER.match(turn),
    )


def _facets(earlier: Sequence[str], turn: str) -> tuple[Facet, ...]:
    """Return the facets of the last line, and of the lines before it those of kinds that it names none of.

    Days and years are taken from these only by a turn that goes on with them ("and at Hill Street?"): in a story they
    are told along ("I leave on Friday").
    """
    asked: list[Facet] = []
    goes_on = continues(turn) or len(turn.split()) < _FEW
    for line in (turn, *reversed(earlier)):
        known = {facet.kind for facet in asked}
        if line is not turn and not goes_on:
            known |= {"weekday", "date", "year"}
        named = facets(line)
        if line is turn and goes_on:
            named = tuple(_counted_as_before(facet, earlier) for facet in named)
        told = [facet for facet in map(_point, named) if facet.kind not in known]
        told = list({(facet.kind, facet.low, facet.high): facet for facet in told}.values())
        asked += [replace(facet, names=True) for facet in told] if line is turn and len(earlier) else told
    return tuple(asked)


def _counted_as_before(facet: Facet, earlier: Sequence[str]) -> Facet:
    """Return a bare number as what was counted before it: "and 10?" after "the rate for 15 years" is 10 years.

    Of several things it is that whose number is nearest: after "$20,000 for 2 years" a 5 is 5 years.
    """
    if facet.kind != "number" or facet.low != facet.high:
        return facet
    read = [
        (abs(math.log(again.low / before.low)), replace(again, said=facet.said))
        for before in (one for line in earlier for one in facets(line))
        if before.kind in _COUNTED and before.low == before.high > 0
        for again in facets(_FIGURE.sub(facet.said, before.said, count=1))
        if again.kind == before.kind and again.low > 0
    ]
    return min(read, key=itemgetter(0))[1] if read else facet


def _point(facet: Facet) -> Facet:
    """Return an open range as its bound: a loan "over 48 months" is one for 48."""
    if math.isinf(facet.high):
        return replace(facet, low=round(facet.low), high=round(facet.low))
    return facet if facet.low else replace(facet, low=facet.high)


def _told(line: str) -> list[str]:
    """Return the content words of a line that are no part of a facet."""
    named = {word for facet in facets(line) for word in stems(facet.said)}
    return [word for word in stems(line) if word not in named]


def _names(turn: str) -> frozenset[str]:
    """Return the content words with a capital, but the first word of a sentence, as long as some have none."""
    capitals = [found[1] for found in _CAPITAL.finditer(turn)]
    shouted = not any(word[:1].islower() for word in turn.split())
    return frozenset() if shouted else frozenset(word for name in capitals for word in _told(name))


def _is_typed(topic: str, follows: bool, earlier: list[str]) -> bool:
    """Return whether "tell me about" is followed by a question, or "what about" follows one and asks the same."""
    asks = len(topic.split()) > _LONGEST_TOPIC or bool(_ASKS_MORE.search(topic))
    return asks or (follows and bool(earlier) and bool(asked_type("\n".join(earlier))))


def _things(turn: str) -> list[str]:
    """Return the content words that stand in a phrase after an article, a possessive or a preposition."""
    return [word for phrase in _phrases(turn) for word in phrase]


def _heads(topic: list[str], turn: str) -> frozenset[str]:
    """Return the last word of a topic, or else of each phrase of a turn."""
    return frozenset(topic[-1:]) if topic else frozenset(phrase[-1] for phrase in _phrases(turn) if phrase)


def _phrases(turn: str) -> list[list[str]]:
    """Return the phrases that name things: each the content words after an article, a possessive or a preposition."""
    phrases: list[list[str]] = [[]]
    named = {word for facet in facets(turn) for word in stems(facet.said)}
    inside = False
    for word, stemmed in words_and_stems(turn):
        opens = word in _BEFORE_THINGS
        inside = opens or (inside and bool(stemmed))
        if opens or not inside:
            phrases.append([])
        elif stemmed not in named:
            phrases[-1].append(stemmed)
    return phrases
