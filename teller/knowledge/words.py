"""The words of a text as both indexes read them: like OpenSearch's `english` analyzer, so that they find alike."""

import re
from functools import lru_cache

import snowballstemmer

_MOST_WORDS = 32

# A number keeps its comma and its point, a word its apostrophe, as Unicode's word borders have it.
_WORD = re.compile(r"\w+(?:(?:(?<=\d)[.,](?=\d)|(?<=[^\W\d])['’.](?=[^\W\d]))\w+)*")  # noqa: RUF001 - as it is typed
_POSSESSIVE = re.compile(r"['’]s$")  # noqa: RUF001
_NEVER_INDEXED = frozenset(
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this "
    "to was will with".split()
)
_NEVER_ASKED_FOR = frozenset(
    "a an the and or but if so then of in on at to from for with by as into about is are was were be been being am "
    "do does did done have has had having can could will would shall should may might must i me my mine we us our "
    "you your yours he him his she her it its they them their this that these those there here what which who whom "
    "whose when where why how not no yes please tell know want like just get got also any some s t d ll re ve m".split()
)
_STEMMER = snowballstemmer.stemmer("porter")


def telling_words(question: str) -> list[str]:
    """Return the words of a question to search by, most telling ones only, each once, at most 32; lower case."""
    words = dict.fromkeys(_WORD.findall(question.lower()))
    return [word for word in words if word not in _NEVER_ASKED_FOR][:_MOST_WORDS]


def stems(text: str) -> list[str]:
    """Return the stems of a text's words in order, without those that say nothing ("the")."""
    return [stem for word in _WORD.findall(text.lower()) if (stem := _stem(word))]


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    bare = _POSSESSIVE.sub("", word)
    return "" if bare in _NEVER_INDEXED else str(_STEMMER.stemWord(bare))
