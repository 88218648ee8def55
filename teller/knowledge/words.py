"""The words of a text as both indexes read them: cut at what is neither letter nor digit, without accents, by stem."""

import re
import unicodedata
from functools import lru_cache

import snowballstemmer

_MOST_WORDS = 32
_WORD = re.compile(r"[^\W_]+")
_STOP_WORDS = frozenset(
    "a an the and or but if so then of in on at to from for with by as into about is are was were be been being am "
    "do does did done have has had having can could will would shall should may might must i me my mine we us our "
    "you your yours he him his she her it its they them their this that these those there here what which who whom "
    "whose when where why how not no yes please tell know want like just get got also any some s t d ll re ve m".split()
)
_TOO_SHORT = 2  # letters, which no stemming leaves clearer
_STEMMER = snowballstemmer.stemmer("porter")
# What Unicode does not take apart and Lucene does.
_LIGATURES = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"}
)


def telling_words(question: str) -> list[str]:
    """Return the words of a question that may tell passages apart, each once and in lower case; at most 32."""
    words = dict.fromkeys(_WORD.findall(question.lower()))
    return [word for word in words if word not in _STOP_WORDS][:_MOST_WORDS]


def stems(text: str) -> list[str]:
    """Return the stems of a text's words, in order."""
    return [_stem(word) for word in _WORD.findall(text.lower())]


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    plain = "".join(map(_plain, word))
    return str(_STEMMER.stemWord(plain)) if len(plain) > _TOO_SHORT else plain


@lru_cache(maxsize=5_000)
def _plain(letter: str) -> str:
    """Return a Latin letter without its accent; any other as it is."""
    parts = unicodedata.normalize("NFKD", letter.translate(_LIGATURES))
    plain = "".join(part for part in parts if not unicodedata.combining(part))
    return plain if plain.isascii() else letter
