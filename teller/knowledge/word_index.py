"""Words to passages, in memory: an inverted index of arrays that ranks by BM25 and grows by what is added.

The score is Lucene's (k1 1.2, b 0.75), summed over title, section and text with their boosts: OpenSearch's
`multi_match` of type `most_fields`. An index of 50,000 passages takes about 75 MB.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from teller.knowledge.column import Column
from teller.knowledge.fusion import FIELD_BOOSTS
from teller.knowledge.index import Passage
from teller.knowledge.words import stems

_K1, _B = 1.2, 0.75
_FIELD_BITS = 2  # the last bits of a term's key name its field
_TERM = np.dtype([("key", "<u8"), ("count", "<u2")])
_MOST_OF_A_WORD = 0xFFFF


def counted_terms(passage: Passage) -> bytes:
    """Return a passage's terms and how often each stands in it, as they are stored beside it: 10 bytes each."""
    counts = Counter(
        _key(stem) + place for place, field in enumerate(FIELD_BOOSTS) for stem in stems(getattr(passage, field))
    )
    terms = np.empty(len(counts), dtype=_TERM)
    terms["key"] = list(counts)
    terms["count"] = np.minimum(list(counts.values()), _MOST_OF_A_WORD)
    return terms.tobytes()


@dataclass(frozen=True, slots=True)
class _Segment:
    """The postings of passages that were added together: term t is in `places[starts[t]:starts[t + 1]]`."""

    keys: NDArray[np.uint64]
    starts: NDArray[np.int64]
    places: NDArray[np.int32]
    counts: NDArray[np.float32]

    @classmethod
    def of(cls, keys: NDArray[np.uint64], places: NDArray[np.int32], counts: NDArray[np.float32]) -> Self:
        order = np.argsort(keys, kind="stable")  # near linear where two sorted runs were put together
        keys = keys[order]
        starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])) if len(keys) else np.empty(0, dtype=np.int64)
        return cls(keys[starts], np.append(starts, len(keys)), places[order], counts[order])

    def flat(self) -> tuple[NDArray[np.uint64], NDArray[np.int32], NDArray[np.float32]]:
        return np.repeat(self.keys, np.diff(self.starts)), self.places, self.counts


class WordIndex:
    """The words of passages by their place, an index into the arrays that a search ranks.

    What is added makes a segment; a segment is put together with the one before it once it is half as large, so that
    there are few, and adding one document to many moves little.
    """

    def __init__(self) -> None:
        self._segments: list[_Segment] = []
        self._lengths = Column(np.float32, len(FIELD_BOOSTS))
        self._norms = np.empty((0, len(FIELD_BOOSTS)), dtype=np.float32)
        self._alive = np.empty(0, dtype=np.bool_)

    def append(self, passages: Sequence[bytes]) -> None:
        """Add passages after the last place, each as its `counted_terms`; `settle` must follow."""
        terms = np.frombuffer(b"".join(passages), dtype=_TERM)
        first, count = len(self._lengths.values), len(passages)
        places = np.repeat(np.arange(count), [len(passage) // _TERM.itemsize for passage in passages])
        fields = (terms["key"] & np.uint64((1 << _FIELD_BITS) - 1)).astype(np.int64)
        counts = terms["count"].astype(np.float32)
        width = len(FIELD_BOOSTS)
        lengths = np.bincount(places * width + fields, weights=counts, minlength=count * width)
        self._lengths.append(lengths.reshape(count, width))
        self._segments.append(_Segment.of(terms["key"], (places + first).astype(np.int32), counts))
        while len(self._segments) > 1 and 2 * len(self._segments[-1].places) > len(self._segments[-2].places):
            self._join_last()

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Drop places and number the others anew, in order; `settle` must follow."""
        self._lengths.keep(kept)
        moved = (np.cumsum(kept) - 1).astype(np.int32)
        parts = [segment.flat() for segment in self._segments]
        self._segments = []
        for keys, places, counts in parts:
            there = kept[places]
            self._segments.append(_Segment.of(keys[there], moved[places[there]], counts[there]))

    def settle(self, alive: NDArray[np.bool_]) -> None:
        """Take account of which places hold a passage: lengths count beside the average of those."""
        self._alive = alive
        lengths = self._lengths.values
        average = lengths[alive].mean(axis=0) if alive.any() else np.ones(len(FIELD_BOOSTS))
        self._norms = (_K1 * (1 - _B + _B * lengths / np.maximum(average, 1e-9))).astype(np.float32).T.copy()

    def scores(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Return each place's BM25 score for words, any of which may match; 0 where none does."""
        scores = np.zeros(len(self._alive), dtype=np.float32)
        passages = int(self._alive.sum())
        for key in (_key(stem) for word in words for stem in stems(word)):
            for field, boost in enumerate(FIELD_BOOSTS.values()):
                postings = self._postings(key + field)
                found = sum(int(np.count_nonzero(self._alive[places])) for places, _ in postings)
                weight = np.float32(boost * math.log(1 + (passages - found + 0.5) / (found + 0.5)))
                for places, counts in postings:
                    scores[places] += weight * counts / (counts + self._norms[field][places])
        return scores

    def _postings(self, key: int) -> list[tuple[NDArray[np.int32], NDArray[np.float32]]]:
        found = []
        for segment in self._segments:
            term = int(np.searchsorted(segment.keys, np.uint64(key)))
            if term < len(segment.keys) and int(segment.keys[term]) == key:
                span = slice(segment.starts[term], segment.starts[term + 1])
                found.append((segment.places[span], segment.counts[span]))
        return found

    def _join_last(self) -> None:
        newer, older = self._segments.pop(), self._segments.pop()
        (old_keys, old_places, old_counts), (keys, places, counts) = older.flat(), newer.flat()
        self._segments.append(
            _Segment.of(
                np.concatenate((old_keys, keys)),
                np.concatenate((old_places, places)),
                np.concatenate((old_counts, counts)),
            )
        )


@lru_cache(maxsize=50_000)
def _key(stem: str) -> int:
    """Return a stem's key, its last bits free for the field: 62 bits of a hash, so no table of terms is kept."""
    digest = hashlib.blake2b(stem.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> _FIELD_BITS << _FIELD_BITS
