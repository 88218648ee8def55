"""How words and meaning together order passages: pure functions over arrays with one entry a passage."""

import re

import numpy as np
from numpy.typing import NDArray

# On retrieval of bank documents a small share of the words helps and a large one, or reciprocal ranks, hurts.
_LEXICAL_WEIGHT = 0.15
_MAX_WORDS = 32

_STOP_WORDS = frozenset(
    "a an the and or but if so then of in on at to from for with by as into about is are was were be been being am "
    "do does did done have has had having can could will would shall should may might must i me my mine we us our "
    "you your yours he him his she her it its they them their this that these those there here what which who whom "
    "whose when where why how not no yes please tell know want like just get got also any some s t d ll re ve m".split()
)


def match_expression(question: str) -> str:
    """Return the FTS5 expression for passages with any of a question's words, most telling ones only; "" for none.

    Each word is quoted, so no text of a caller is read as FTS5 syntax.
    """
    return " OR ".join(f'"{word}"' for word in telling_words(question))


def telling_words(question: str) -> list[str]:
    """Return the words of a question that may tell passages apart, each once and in lower case; at most 32."""
    words = dict.fromkeys(re.findall(r"\w+", question.lower()))
    return [word for word in words if word not in _STOP_WORDS][:_MAX_WORDS]


def fused(similarity: NDArray[np.float64], words: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return scores from both: the z-scored similarity plus a small share of the z-scored words.

    A passage without a vector is judged by its words in place of the similarity, never above the most similar passage.

    Args:
        similarity: Cosines, NaN where a passage has no vector; not all NaN.
        words: BM25 scores, 0 where no word matches.
    """
    lexical = _standardised(words)
    known = ~np.isnan(similarity)
    meaning = lexical.copy()
    meaning[known] = _standardised(similarity[known])
    meaning[~known] = np.minimum(lexical[~known], meaning[known].max())
    return meaning + _LEXICAL_WEIGHT * lexical


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = values.std()
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)
