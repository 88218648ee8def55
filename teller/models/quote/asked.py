"""What a question asks for: its words and what they weigh, its focus, and the form of answer that fits it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from teller.knowledge.question import leans_on_history
from teller.models.quote.answer_type import asked_type
from teller.models.quote.question_words import stems, weight, words_and_stems

_EARLIER_TURN = 0.35  # what a word of an earlier turn counts beside one of the last turn
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
    r"\b(?:what|which)\b.*\b(?:documents?|papers?|paperwork|things|requirements|steps)\b"
    r"|\bwhat (?:all )?(?:do|should|must|will|can|would) i (?:\w+ ){0,4}?"
    r"(?:need|bring|show|have|prepare|provide|take)\b"
    r"|\bneed to (?:bring|show|have|provide)\b|\blist\b|\brequirements?\b|\bwhat .*\b(?:required|needed)\b",
    re.IGNORECASE,
)
_ASKS_RANGE = re.compile(r"\b(?:what|which)\b.*\b(?:classes|options|ways|kinds|types|sorts)\b", re.IGNORECASE)
_ASKS_HOW = re.compile(
    r"\bhow (?:do|can|could|should|would) (?:i|we|you|one)\b|\bhow to\b|\bsteps\b|\bwalk me through\b", re.IGNORECASE
)
# What names a thing stands after one of these, and ends at the next function word: "a late *laptop*".
_BEFORE_THINGS = frozenset(
    "a an the your my our any some many much which what no for on of about with in have offer sell finance".split()
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question read: several lines where the last one asks and the others are what it may lean on.

    `words` are the content words of all lines with what they weigh, `things` those of the last line that name a thing
    ("is there a *sign-up bonus* on the *gold card*"), `kind` the type of the answer ("amount", "time"; "" for any).
    """

    turn: str
    words: Mapping[str, float]
    things: Mapping[str, float]
    kind: str
    wants_list: bool
    may_be_list: bool
    wants_steps: bool
    wants_overview: bool
    has_story: bool
    leans: bool


def read(question: str) -> Asked:
    """Return what a question asks: one line, or several of which the last one asks."""
    *earlier, turn = question.splitlines()
    overview = _OVERVIEW.match(turn)
    topic = (overview["topic"] or overview["works"]) if overview else ""
    wants_overview = bool(overview) and not _is_typed(topic, bool(overview and overview["follows"]), earlier)
    steps = bool(_ASKS_HOW.search(turn))
    said = topic if wants_overview else turn
    words = {word: _EARLIER_TURN * weight(word) for line in earlier for word in stems(line)}
    return Asked(
        turn=turn,
        words=words | {word: weight(word) for word in stems(said)},
        things={word: weight(word) for word in (stems(said) if wants_overview else _things(turn))},
        kind="" if wants_overview or steps else asked_type("\n".join([*earlier, turn])),
        wants_list=bool(_ASKS_LIST.search(turn)),
        may_be_list=bool(_ASKS_RANGE.search(turn)),
        wants_steps=steps,
        wants_overview=wants_overview,
        has_story=bool(earlier),
        leans=bool(earlier) and leans_on_history(turn),
    )


def _is_typed(topic: str, follows: bool, earlier: list[str]) -> bool:
    """Return whether "tell me about" is followed by a question, or "what about" follows one and asks the same."""
    asks = len(topic.split()) > _LONGEST_TOPIC or bool(_ASKS_MORE.search(topic))
    return asks or (follows and bool(earlier) and bool(asked_type("\n".join(earlier))))


def _things(turn: str) -> list[str]:
    """Return the content words that stand in a phrase after an article, a possessive or a preposition."""
    things, inside = [], False
    for word, stemmed in words_and_stems(turn):
        inside = word in _BEFORE_THINGS or (inside and bool(stemmed))
        if inside and stemmed and word not in _BEFORE_THINGS:
            things.append(stemmed)
    return things
