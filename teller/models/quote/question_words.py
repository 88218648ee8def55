"""The content words of a text as stems, what each of them weighs, and which of two texts' words are the same.

A word weighs by how rare it is in English, read off its place in the embedder's own vocabulary,
which is ordered by frequency.
"""

import json
import math
import re
from collections.abc import Iterable
from functools import cache, lru_cache

from teller.models.embedder import MODEL_FOLDER
from teller.models.quote.everyday_words import same_meaning
from teller.models.quote.stemming import stem

_WORD = re.compile(r"\d[\d,]*(?:\.\d+)?|[a-z]+(?:'[a-z]+)?", re.IGNORECASE)
_PREFIX = re.compile(r"\b(pre|re|co|non|e)-(?=[a-z])", re.IGNORECASE)  # "pre-approval" is "preapproval"
# Words that say nothing of what is asked: grammar, politeness, hesitation, verbs that fit any question, and what it
# calls its answers ("which loan *options* are *available*"), a word that the documents need not have.
_FUNCTION_WORDS = """
a an the and or but if then than so as of at by for from in into on onto off out over under up down with without about
to i i'm i'd i'll i've me my mine we we're our us you you're your yours he she it it's its they them their this that
that's these those there here what what's which who who's whom whose when where why how
am is isn't are aren't be been being was were do does doesn't did didn't don't done have has had having can can't could
will would should shall may might must not no yes
per until till long
any some one ones all each every much many more most very too just only also again
wife husband niece nephew guys stuff today yesterday
please um uh er hmm hello hi hey thanks ok okay well really actually maybe
like tell know say want wanna need get got go going gonna gotta give make let take happen happens happened mean means
work works use using thing things something somebody someone anything anyone way lot dollars dollar
kind kinds sort sorts type types option options choice choices choose available
"""
_SILENT = frozenset(_FUNCTION_WORDS.split())
_FIRST_WHOLE_WORD = 1996  # ids below are marks, letters and symbols
_RAREST = 30522


@cache
def _ranks() -> dict[str, int]:
    vocabulary: dict[str, int] = json.loads((MODEL_FOLDER / "tokenizer.json").read_bytes())["model"]["vocab"]
    return {word: rank for word, rank in vocabulary.items() if rank >= _FIRST_WHOLE_WORD and word.isalpha()}


@lru_cache(maxsize=20_000)
def weight(stem: str) -> float:
    """Return how much a word says, in (0, 1]: 1 for a rare word or a number, little for a common one."""
    if stem[0].isdigit():
        return 1.0
    ranks = _ranks()
    rank = min(ranks.get(form, _RAREST) for form in (stem, stem + "s", stem + "e", stem + "ing", stem + "ed"))
    return math.log(rank - _FIRST_WHOLE_WORD + 50) / math.log(_RAREST)


def stems(text: str) -> list[str]:
    """Return the content words of a text, in order, as stems; numbers in digits ('fifteen-year' -> '15', 'year')."""
    return [word for word in all_stems(text) if word]


def all_stems(text: str) -> list[str]:
    """Return a stem for every word of a text, "" for a function word."""
    return [stemmed for _, stemmed in words_and_stems(text)]


def words_and_stems(text: str) -> list[tuple[str, str]]:
    """Return every word of a text in lower case with its stem, "" for a function word."""
    joined = _PREFIX.sub(r"\1", text.replace("\u2019", "'"))
    words = (word.lower() for word in _WORD.findall(joined))
    return [(word, "" if word in _SILENT else stem(word)) for word in words]


def same_word(asked: str, found: str) -> bool:
    """Return whether two stems are one word: equal, of one family ('withdraw', 'withdrawal'), or a slip apart."""
    if asked == found:
        return True
    if asked[0].isdigit() or found[0].isdigit() or asked[0] != found[0]:
        return False
    short, long = sorted((asked, found), key=len)
    if len(short) >= 5 and long.startswith(short[: max(5, len(short) - 1)]) and len(long) - len(short) <= 5:
        return True
    return len(short) >= 5 and len(long) - len(short) <= 1 and asked not in _ranks() and _one_slip(short, long)


def matching(asked: Iterable[str], vocabulary: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return for each stem asked the stems of the vocabulary that are the same word, or mean the same."""
    by_initial: dict[str, list[str]] = {}
    known_stems = frozenset(vocabulary)
    for known in known_stems:
        by_initial.setdefault(known[0], []).append(known)
    return {
        word: frozenset(known for known in by_initial.get(word[0], ()) if same_word(word, known))
        | (same_meaning(word) & known_stems)
        for word in asked
    }


def _one_slip(short: str, long: str) -> bool:
    """Return whether one letter was changed, dropped or added, or two neighbours were swapped."""
    i = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[i:] == long[i + 1 :]
    swapped = short[i : i + 2] == long[i : i + 2][::-1]
    return short[i + 1 :] == long[i + 1 :] or (swapped and short[i + 2 :] == long[i + 2 :])
