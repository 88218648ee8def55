"""The bodies of searches: what is asked of the cluster, and how it joins words and meaning."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from teller.knowledge.fusion import DEPTH, FIELD_BOOSTS, LEXICAL_WEIGHT, VECTOR_WEIGHT
from teller.knowledge.index import Vector

Json = dict[str, Any]

_FIELDS = [f"{name}^{boost}" for name, boost in FIELD_BOOSTS.items()]
# A hybrid query fetches all that its parts found, some 200 passages, before it fuses them: reading their stored text
# made a search three times as long. These fields are kept in columns.
_LIGHT: Json = {
    "_source": False,
    "stored_fields": "_none_",
    "docvalue_fields": ["passage_id", "document_id", "revision"],
}


@dataclass(frozen=True, slots=True)
class Question:
    """What a search looks for: telling words, a vector of length 1 or none, and which passages may answer it.

    `without` are revisions that are known not to count: not yet, or no more.
    """

    words: str
    vector: Vector | None
    on: date
    collection: str | None = None
    without: Collection[str] = ()

    @property
    def parts(self) -> list[tuple[Json, float]]:
        """The searches that are fused, each with its weight; one alone where there is no vector.

        A passage that waits for its vector is judged by its words in place of its meaning.
        """
        if self.vector is None:
            return [(self._lexical(), 1.0)]
        parts = [(self._nearest(self.vector), VECTOR_WEIGHT)]
        if self.words:
            parts += [
                (self._lexical(), LEXICAL_WEIGHT),
                (self._lexical({"term": {"waiting": True}}), VECTOR_WEIGHT),
            ]
        return parts

    def _lexical(self, *more: Json) -> Json:
        matching = {"multi_match": {"query": self.words, "fields": _FIELDS, "type": "most_fields"}}
        return {"bool": {"must": [matching], **self._filter(*more)}}

    def _nearest(self, vector: Vector) -> Json:
        return {"knn": {"embedding": {"vector": vector, "k": DEPTH, "filter": {"bool": self._filter()}}}}

    def _filter(self, *more: Json) -> Json:
        """Return the conditions; they stand inside every part, so that nothing else takes a passage's place."""
        day = self.on.isoformat()
        conditions: list[Json] = [
            {"term": {"kind": "passage"}},
            {"range": {"since": {"lte": day}}},
            {"range": {"until": {"gte": day}}},
            *more,
        ]
        if self.collection is not None:
            conditions.append({"term": {"collection": self.collection}})
        excluded = {"must_not": [{"terms": {"revision": sorted(self.without)}}]} if self.without else {}
        return {"filter": conditions, **excluded}


def hybrid(question: Question, size: int) -> Json:
    """Return one search whose parts the cluster fuses; the pipeline travels with it, so none can be missing."""
    parts = question.parts
    if len(parts) == 1:
        return {"size": size, **_LIGHT, "query": parts[0][0]}
    weights = [weight / sum(weight for _, weight in parts) for _, weight in parts]
    fusion = {
        "normalization": {"technique": "min_max"},
        "combination": {"technique": "arithmetic_mean", "parameters": {"weights": weights}},
    }
    return {
        "size": size,
        **_LIGHT,
        "query": {"hybrid": {"queries": [query for query, _ in parts], "pagination_depth": DEPTH}},
        "search_pipeline": {"phase_results_processors": [{"normalization-processor": fusion}]},
    }


def separate(question: Question) -> list[Json]:
    """Return the parts as searches of their own, for us to fuse."""
    return [{"size": DEPTH, **_LIGHT, "query": query} for query, _ in question.parts]


def whole(passage_ids: Collection[str], revisions: Collection[str]) -> Json:
    """Return a search for passages, whole; there is one of each in a revision, and for a moment two."""
    among = _all_of(passages_where(passage_id=passage_ids), _among("revision", revisions))
    return {"size": 4 * len(passage_ids) + 100, "query": among}


def records_of(document_ids: Collection[str]) -> Json:
    """Return a search for the records of some documents; there is one of each, and a moment long two or three."""
    return {
        "size": 10 * len(document_ids) + 100,
        "query": _all_of(document_records(), _among("document_id", document_ids)),
    }


def document_records() -> Json:
    """Return the condition for documents' records."""
    return {"term": {"kind": "document"}}


def passages_where(**terms: str | bool | Collection[str]) -> Json:
    """Return the condition for passages with these values; of several values for one."""
    conditions = (
        {"term": {name: value}} if isinstance(value, str | bool) else _among(name, value)
        for name, value in terms.items()
    )
    return _all_of({"term": {"kind": "passage"}}, *conditions)


def records_where(revisions: Collection[str]) -> Json:
    """Return the condition for documents' records of these revisions."""
    return _all_of(document_records(), _among("revision", revisions))


def _among(field: str, values: Collection[str]) -> Json:
    return {"terms": {field: list(values)}}


def _all_of(*conditions: Json) -> Json:
    return {"bool": {"filter": list(conditions)}}
