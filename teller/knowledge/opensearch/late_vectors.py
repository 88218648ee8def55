"""Vectors that follow the words of a passage."""

from collections.abc import Mapping

from teller.knowledge.index import Vector
from teller.knowledge.opensearch.cluster import Cluster
from teller.knowledge.opensearch.documents import Documents
from teller.knowledge.opensearch.profile import Profile
from teller.knowledge.opensearch.queries import passages_where
from teller.knowledge.opensearch.records import Json


async def add_vectors(
    cluster: Cluster, documents: Documents, profile: Profile, index: str, vectors: Mapping[str, Vector | None]
) -> None:
    """Give vectors to passages by their id, wherever they stand in the index."""
    actions: list[tuple[Json, Json | None]] = []
    async for hit in documents.every(
        index, passages_where(passage_id=vectors.keys()), ["revision", "place", "waiting"]
    ):
        vector = vectors[hit["_source"]["passage_id"]]
        given: Json = {"waiting": False} | ({} if vector is None else {"embedding": vector})
        if profile.own_ids:
            actions.append(({"update": {"_id": hit["_id"], "retry_on_conflict": 3}}, {"doc": given}))
        else:  # where nothing can be updated: the passage anew, then without the former
            actions.append(({"index": {}}, hit["_source"] | given))
            actions.append(({"delete": {"_id": hit["_id"]}}, None))
    if actions:
        await cluster.bulk(index, actions, again=profile.own_ids)
        await documents.make_visible(index)
