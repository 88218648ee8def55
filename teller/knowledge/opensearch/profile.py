"""What a kind of cluster can do: the adapter asks this, never which service it is."""

from dataclasses import dataclass, replace
from typing import Literal, Self

from teller.knowledge.opensearch.address import Service


@dataclass(frozen=True, slots=True)
class Profile:
    """The adapter's choices.

    Attributes:
        engine: What builds the graph of vectors. Serverless has only faiss; everywhere else lucene, which filters while
            it walks the graph and needs no native library.
        own_ids: Whether documents are written under ids of our choice, so that a repeated write changes nothing.
        pipeline: Whether one `hybrid` query is fused by the cluster; else one `_msearch` is fused by us.
        refresh: Whether a write can be made visible at once; else it is waited for.
        exact: Build no graph and compare with every vector: only for a faiss mapping where its library is missing.
    """

    engine: Literal["lucene", "faiss"] = "lucene"
    own_ids: bool = True
    pipeline: bool = True
    refresh: bool = True
    exact: bool = False

    @classmethod
    def of(cls, service: Service) -> Self:
        """Return what a service can do: a managed domain (`es`) all of it, Serverless (`aoss`) less."""
        if service == "aoss":
            return cls(engine="faiss", own_ids=False, pipeline=False, refresh=False)
        return cls()

    def without_pipeline(self) -> "Profile":
        """Return the same for a cluster that does not know our hybrid queries."""
        return replace(self, pipeline=False)
