"""The knowledge index on OpenSearch: the protocol's methods, over an alias that may move to a new index meanwhile."""

from collections.abc import Sequence
from datetime import date
from typing import Self

import structlog

from teller.errors import ConfigurationError, SearchUnavailableError
from teller.knowledge.index import DocumentInfo, IndexStatus, Passage, Upsert, Vector
from teller.knowledge.opensearch.address import Address
from teller.knowledge.opensearch.alias import remove
from teller.knowledge.opensearch.binding import Binding
from teller.knowledge.opensearch.cluster import Cluster
from teller.knowledge.opensearch.documents import Documents
from teller.knowledge.opensearch.failures import CertificateError, NotLetInError, UnreachableError
from teller.knowledge.opensearch.late_vectors import add_vectors
from teller.knowledge.opensearch.mapping import Nature
from teller.knowledge.opensearch.profile import Profile
from teller.knowledge.opensearch.queries import Question, document_records, passages_where
from teller.knowledge.opensearch.records import (
    Json,
    Record,
    Revision,
    deletion,
    next_revision,
    passage,
    passage_sources,
    unit,
)
from teller.knowledge.opensearch.searching import Searching
from teller.knowledge.words import telling_words

_log = structlog.get_logger(__name__)


class OpenSearchIndex:
    """A `KnowledgeIndex` on a cluster. Any number of processes may read and write it.

    A process whose embedder is not the index's (it was built anew for another one meanwhile) searches by words alone.
    """

    name = "OpenSearch"

    def __init__(self, cluster: Cluster, alias: str, nature: Nature, profile: Profile) -> None:
        self._cluster, self._dimension = cluster, nature.dimension
        self._binding = Binding(cluster, alias, nature, profile)
        self._searching = Searching(cluster, self._binding)

    @classmethod
    async def open(
        cls,
        address: Address,
        alias: str,
        embedder: str,
        dimension: int,
        search_seconds: float,
        profile: Profile | None = None,
    ) -> Self:
        """Open the index, or make it. A cluster that can't be reached now is waited for: each call tries again.

        Args:
            address: Where the cluster is.
            alias: The name that is searched.
            embedder: What embeds passages and questions; the index is bound to it.
            dimension: The length of its vectors.
            search_seconds: The longest wait for one answer.
            profile: What the cluster can do; unset, as its service.

        Raises:
            ConfigurationError: the cluster does not let us in, lacks k-NN, or holds an index that is not ours to use.
        """
        cluster = Cluster(address, search_seconds)
        try:
            index = cls(cluster, alias, Nature(embedder, dimension), profile or Profile.of(address.service))
            await index._binding.prepare()
        except (NotLetInError, CertificateError) as wrong:
            await cluster.close()
            raise ConfigurationError(str(wrong)) from wrong
        except UnreachableError as away:
            _log.warning("OpenSearch can't be reached yet: what needs it fails until it can", why=str(away))
        except BaseException:
            await cluster.close()
            raise
        return index

    async def search(
        self, question: str, vector: Vector | None, *, on: date, limit: int = 6, collection: str | None = None
    ) -> list[Passage]:
        """Return the passages in force `on` that day, best first; without a vector by words alone.

        A document is in force from its effective date to its expiry date, both included.
        """
        direction = None if vector is None else unit(vector, self._dimension)
        asked = Question(" ".join(telling_words(question)), direction, on, collection)
        return await self._searching.search(asked, limit)

    async def upsert(
        self, document: DocumentInfo, passages: Sequence[Passage], vectors: Sequence[Vector] | None
    ) -> None:
        """Put a document in place of its former self, all of it or none; without vectors it is found by words."""
        await self.upsert_all([Upsert(document, passages, vectors)])

    async def upsert_all(self, upserts: Sequence[Upsert]) -> None:
        """Put several documents in, no two of one id: each all of it or none, and much sooner than one by one."""
        if not upserts:
            return
        prepared = [self._prepared(one) for one in upserts]  # raises before anything is written
        async for index in self._binding.indexes_to_write():
            former = await self._written.current(index, [one.document.document_id for one in upserts])
            revisions = [
                Revision(one.document, next_revision(former.get(one.document.document_id)), sources)
                for one, sources in zip(upserts, prepared, strict=True)
            ]
            await self._written.put(index, revisions)

    async def add_vectors(self, vectors: dict[str, Vector]) -> None:
        """Give vectors to passages by their id; ids that are gone meanwhile are passed over."""
        directions = {name: unit(vector, self._dimension) for name, vector in vectors.items()}
        async for index in self._binding.indexes_to_write():
            await add_vectors(self._cluster, self._written, self._binding.profile, index, directions)

    async def without_vector(self) -> list[Passage]:
        """Return the passages that still wait for their vector."""
        index = (await self._binding.writable()).index
        hits = [
            hit["_source"] async for hit in self._kept.every(index, passages_where(waiting=True), ["revision", "place"])
        ]
        current = await self._kept.current(index, {source["document_id"] for source in hits})
        return [passage(source) for source in hits if _counts(current.get(source["document_id"]), source["revision"])]

    async def delete(self, *document_ids: str) -> bool:
        """Remove documents; False where none of them was there."""
        was_there = False
        async for index in self._binding.indexes_to_write():
            former = [one for one in (await self._written.current(index, document_ids)).values() if not one.deleted]
            if former:
                await self._written.put(index, [deletion(one) for one in former])
                was_there = True
        return was_there

    async def documents(self) -> list[DocumentInfo]:
        """Return what is in the index, by file name."""
        records = (await self._kept.all((await self._binding.now()).index)).values()
        there = [one.document for one in records if not one.deleted]
        return sorted(there, key=lambda document: (document.filename, document.collection))

    async def passages_of(self, document_id: str) -> list[Passage]:
        """Return a document's passages in reading order; empty where there is none."""
        index = (await self._binding.now()).index
        counting = (await self._kept.current(index, [document_id])).get(document_id)
        if counting is None:
            return []
        return [passage(source) async for source in self._kept.passages(index, counting)]

    async def ever_held_anything(self) -> bool:
        """Return whether a document was ever put in, even if it was deleted since."""
        return await self._kept.count((await self._binding.now()).index, document_records()) > 0

    async def status(self) -> IndexStatus:
        """Return how much is in the index."""
        index = (await self._binding.now()).index
        passages = await self._kept.chunks(index)
        waiting = await self._kept.count(index, passages_where(waiting=True))
        return IndexStatus(passages, passages - (len(await self.without_vector()) if waiting else 0))

    async def remove(self) -> None:
        """Remove the index, with all that is in it: for one that was made to measure something."""
        await remove(self._cluster, (await self._binding.now()).index)

    async def close(self) -> None:
        """Let go of files and connections."""
        await self._cluster.close()

    def _prepared(self, upsert: Upsert) -> list[Json]:
        """Return a document's passages as they are written. Raises where they do not fit each other."""
        directions = None if upsert.vectors is None else [unit(vector, self._dimension) for vector in upsert.vectors]
        if len({one.passage_id for one in upsert.passages}) != len(upsert.passages):
            raise SearchUnavailableError("A document has two passages of one id: nothing was changed")
        return passage_sources(upsert.passages, directions)

    @property
    def _kept(self) -> Documents:
        return Documents(self._cluster, self._binding.profile)

    @property
    def _written(self) -> Documents:
        return Documents(self._cluster.patient, self._binding.profile)


def _counts(record: Record | None, revision: str) -> bool:
    return record is not None and not record.deleted and record.revision == revision
