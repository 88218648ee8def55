"""Documents in one index of the cluster: how a revision is put in, which one counts, and what is left of the others.

The guarantee: passages are written first and the document's record last, to one shard, so whoever sees the record sees
all of them; and only passages of the newest record count. A search therefore meets the former document or the new one,
whole. A writer that is killed leaves passages without a record, which count for nobody; the next write of that document
takes them away. Of two that write a document at once the later begun counts.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from typing import Any

from teller.errors import SearchUnavailableError
from teller.knowledge.opensearch.cluster import Cluster
from teller.knowledge.opensearch.failures import raise_for
from teller.knowledge.opensearch.profile import Profile
from teller.knowledge.opensearch.queries import document_records, passages_where, records_of, records_where
from teller.knowledge.opensearch.records import (
    Json,
    Record,
    Revision,
    age_seconds,
    newest,
    record,
    record_source,
)

_PAGE = 1_000
_DOCUMENTS_AT_ONCE = 500
_ABANDONED_SECONDS = 600.0  # no write of a document takes as long
_VISIBLE_WITHIN_SECONDS = 120.0
_LOOKS_EVERY_SECONDS = 1.0


class Documents:
    """The documents of whichever index is named; each call names it, since the alias may move meanwhile."""

    def __init__(self, cluster: Cluster, profile: Profile) -> None:
        self._cluster = cluster
        self._profile = profile

    async def put(self, index: str, revisions: Sequence[Revision]) -> None:
        """Write revisions of different documents: their passages, then the records by which they count.

        What they replace is taken away.
        """
        passages = [
            (f"{one.name}-{place}", source | {"revision": one.name})
            for one in revisions
            for place, source in enumerate(one.sources)
        ]
        await self._write(index, passages)
        if not self._profile.refresh:  # then nothing promises that what was written first is seen first
            written = passages_where(revision=[one.name for one in revisions])
            await self._until_seen(index, written, len(passages))
        await self._put_records(index, revisions)
        await self.clean(index, [one.document.document_id for one in revisions])

    async def current(self, index: str, document_ids: Collection[str]) -> dict[str, Record]:
        """Return the records that count, by document; without those that were never there."""
        found: dict[str, Record] = {}
        for some in _pieces(list(document_ids), _DOCUMENTS_AT_ONCE):
            found |= newest(map(record, await self._cluster.search(index, records_of(some))))
        return found

    async def all(self, index: str) -> dict[str, Record]:
        """Return every document's record that counts, the deleted ones too; what they replaced is taken away."""
        order = ["document_id", "revision"]
        records = [record(hit) async for hit in self.every(index, document_records(), order)]
        counting = newest(records)
        replaced = {_id(one) for one in records if one.key != counting[_id(one)].key}
        await self.clean(index, replaced)
        return counting

    async def every(self, index: str, query: Json, order: Sequence[str], **more: object) -> AsyncIterator[Json]:
        """Yield all hits of a query in the order of fields that together tell them apart."""
        body: dict[str, Any] = {"size": _PAGE, "query": query, "sort": [{name: "asc"} for name in order], **more}
        while True:
            hits = await self._cluster.search(index, body)
            for hit in hits:
                yield hit
            if len(hits) < _PAGE:
                return
            body["search_after"] = hits[-1]["sort"]

    async def clean(self, index: str, document_ids: Collection[str]) -> None:
        """Take away what of documents does not count any more: earlier revisions, and what a killed writer left."""
        for some in _pieces(list(document_ids), _DOCUMENTS_AT_ONCE):
            await self._clean(index, some)

    async def _clean(self, index: str, document_ids: Sequence[str]) -> None:
        records = [record(hit) for hit in await self._cluster.search(index, records_of(document_ids))]
        counting = newest(records)
        if not counting:
            return
        old = {one.revision for one in records if one.revision < counting[_id(one)].revision}
        known = {one.revision for one in records}
        gone: list[str] = []
        light = {"_source": ["revision"]}
        of_these = passages_where(document_id=list(counting))
        async for hit in self.every(index, of_these, ["revision", "place"], **light):
            revision = hit["_source"]["revision"]
            abandoned = revision not in known and age_seconds(revision) > _ABANDONED_SECONDS
            if revision in old or abandoned:
                gone.append(hit["_id"])
        # Records last: as long as one is there, its passages can be found again.
        gone += [one.key for one in records if one.revision in old]
        if gone:
            await self._cluster.bulk(index, [({"delete": {"_id": key}}, None) for key in gone], again=True)
            await self.make_visible(index)  # half of a write's time, but else former records are counted for a second

    async def passages(self, index: str, counting: Record) -> AsyncIterator[Json]:
        """Yield the passages of a document that count, as they are kept, in reading order."""
        if counting.deleted:
            return
        condition = passages_where(document_id=counting.document.document_id, revision=counting.revision)
        seen: set[str] = set()
        async for hit in self.every(index, condition, ["place", "waiting"]):
            source = hit["_source"]
            if source["passage_id"] not in seen:  # for a moment there may be two: one with its vector, one without
                seen.add(source["passage_id"])
                yield source

    async def count(self, index: str, query: Json) -> int:
        """Return how many there are."""
        answer = await self._cluster.read("POST", f"/{index}/_count", {"query": query})
        with self._cluster.reading():
            return int(answer["count"])

    async def chunks(self, index: str) -> int:
        """Return how many passages all documents together have."""
        body = {
            "size": 0,
            "query": {"bool": {"filter": [document_records(), {"term": {"deleted": False}}]}},
            "aggs": {"chunks": {"sum": {"field": "chunks"}}},
        }
        answer = await self._cluster.read("POST", f"/{index}/_search", body)
        with self._cluster.reading():
            raise_for(answer)
            return int(answer["aggregations"]["chunks"]["value"])

    async def make_visible(self, index: str) -> None:
        """Let searches see what was written, where the service leaves that to us."""
        if self._profile.refresh:
            await self._cluster.write("POST", f"/{index}/_refresh")

    async def _put_records(self, index: str, revisions: Sequence[Revision]) -> None:
        await self._write(index, [(f"{one.name}-record", record_source(one)) for one in revisions])
        await self.make_visible(index)
        if not self._profile.refresh:
            await self._until_seen(index, records_where([one.name for one in revisions]), len(revisions))

    async def _write(self, index: str, sources: Sequence[tuple[str, Json]]) -> None:
        own = self._profile.own_ids
        actions = [({"index": {"_id": key} if own else {}}, source) for key, source in sources]
        await self._cluster.bulk(index, actions, again=own)

    async def _until_seen(self, index: str, query: Json, count: int) -> None:
        """Wait until searches see so many; more of them means that a write was made twice."""
        deadline = asyncio.get_running_loop().time() + _VISIBLE_WITHIN_SECONDS
        while (seen := await self.count(index, query)) != count:
            if seen > count or asyncio.get_running_loop().time() > deadline:
                raise SearchUnavailableError("OpenSearch did not take a document as it was written: try it again")
            await asyncio.sleep(_LOOKS_EVERY_SECONDS)


def _id(record: Record) -> str:
    return record.document.document_id


def _pieces(things: list[str], size: int) -> Iterator[list[str]]:
    return (things[start : start + size] for start in range(0, len(things), size))
