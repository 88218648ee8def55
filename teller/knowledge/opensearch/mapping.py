"""The index's settings and fields, and what it writes down about itself.

One index holds both kinds of what we know: passages, which are searched, and one record for each revision of a
document. `since` and `until` are always filled, so that what is in force is two plain ranges.
"""

from dataclasses import dataclass
from typing import Any, Self

from teller.errors import ConfigurationError
from teller.knowledge.opensearch.profile import Profile

# Raised when the fields change: `teller migrate` then builds the index anew beside the old one.
MAPPING = 1

_HNSW = {"m": 16, "ef_construction": 128}
_KEYWORD = {"type": "keyword"}
_UNSEARCHED = {"type": "keyword", "index": False, "doc_values": False}
_TEXT = {"type": "text", "analyzer": "words"}
_DAY = {"type": "date", "format": "strict_date"}


@dataclass(frozen=True, slots=True)
class Nature:
    """What an index was made by; another embedder's vectors or another mapping do not go into it."""

    embedder: str
    dimension: int
    mapping: int = MAPPING

    @classmethod
    def of(cls, mappings: dict[str, Any]) -> Self | None:
        """Read it from an index' mappings; None where the index is none of ours."""
        meta = mappings.get("_meta", {}).get("teller")
        return cls(meta["embedder"], meta["dimension"], meta["mapping"]) if meta else None

    @property
    def meta(self) -> dict[str, Any]:
        """What the index keeps of it."""
        return {"teller": {"embedder": self.embedder, "dimension": self.dimension, "mapping": self.mapping}}


def refuse_another(theirs: Nature, ours: Nature, alias: str) -> None:
    """Refuse an index that another embedder or another version made.

    Raises:
        ConfigurationError: it is one; the message says how to mend it.
    """
    refuse_newer(theirs, alias)
    if (theirs.embedder, theirs.dimension) != (ours.embedder, ours.dimension):
        raise ConfigurationError(
            f"The OpenSearch index {alias} holds vectors of {theirs.embedder} ({theirs.dimension} dimensions), but the"
            f" embedder is now {ours.embedder} ({ours.dimension}): set EMBEDDING_MODEL back, or run `teller migrate`,"
            " which builds the index anew beside it"
        )
    if theirs.mapping < ours.mapping:
        raise ConfigurationError(
            f"The OpenSearch index {alias} was made by an older Teller: run `teller migrate`, which builds it anew"
        )


def refuse_newer(theirs: Nature, alias: str) -> None:
    """Refuse an index of a newer version.

    Raises:
        ConfigurationError: it is one.
    """
    if theirs.mapping > MAPPING:
        raise ConfigurationError(
            f"The OpenSearch index {alias} was made by a newer Teller: use that one, or set another OPENSEARCH_INDEX"
        )


def index_body(nature: Nature, profile: Profile) -> dict[str, Any]:
    """Return the body that creates the index.

    Words are cut and stemmed as by `teller.knowledge.words`: at everything that is neither letter nor digit, by Porter
    as Snowball has it (Lucene's own `porter_stem` stems some words otherwise), but for words of one or two letters.
    """
    steps = ["lowercase", "asciifolding", "short", "stem"]
    settings: dict[str, Any] = {
        "knn": True,
        "analysis": {
            "tokenizer": {"between": {"type": "pattern", "pattern": r"[^\p{L}\p{N}]+"}},
            "filter": {
                "short": {"type": "keyword_marker", "keywords_pattern": "..?"},
                "stem": {"type": "snowball", "language": "Porter"},
            },
            "analyzer": {"words": {"type": "custom", "tokenizer": "between", "filter": steps}},
        },
    }
    if profile.refresh:  # a service that refreshes by itself takes none of these
        # One shard: what is written first is seen first, and word counts are those of all passages.
        settings |= {"number_of_shards": 1, "auto_expand_replicas": "0-1", "refresh_interval": "1s"}
    if profile.exact:
        settings["knn.advanced.approximate_threshold"] = -1
    return {"settings": {"index": settings}, "mappings": _mappings(nature, profile)}


def _mappings(nature: Nature, profile: Profile) -> dict[str, Any]:
    return {
        "dynamic": "strict",
        "_meta": nature.meta,
        "properties": {
            "kind": _KEYWORD,
            "document_id": _KEYWORD,
            "revision": _KEYWORD,
            "collection": _KEYWORD,
            "since": _DAY,
            "until": _DAY,
            "filename": _UNSEARCHED,
            # of a passage
            "passage_id": _KEYWORD,
            "place": {"type": "integer"},
            "title": _TEXT,
            "section": _TEXT,
            "text": _TEXT,
            "waiting": {"type": "boolean"},
            "embedding": {
                "type": "knn_vector",
                "dimension": nature.dimension,
                # Without an engine it would be a native one.
                "method": {
                    "name": "hnsw",
                    "engine": profile.engine,
                    "space_type": "cosinesimil",
                    "parameters": _HNSW,
                },
            },
            # of a document's record; its title is no word to be searched
            "chunks": {"type": "integer"},
            "deleted": {"type": "boolean"},
            "info": {"type": "object", "enabled": False},
        },
    }
