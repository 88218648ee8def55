"""A search: the best passages by words and meaning, then a look at whether they still count."""

import secrets
from dataclasses import dataclass, replace

from teller.knowledge.fusion import fused
from teller.knowledge.index import Passage
from teller.knowledge.opensearch.alias import Bound
from teller.knowledge.opensearch.binding import Binding
from teller.knowledge.opensearch.cluster import Cluster
from teller.knowledge.opensearch.failures import RefusedError
from teller.knowledge.opensearch.mapping import Nature
from teller.knowledge.opensearch.queries import Question, hybrid, records_of, separate, whole
from teller.knowledge.opensearch.records import Json, found_passage, newest, record

Key = tuple[str, str]

_ROUNDS = 4
_SPARE = 2  # more are asked for than are wanted: some may not count


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found: where it is, of which revision of which document, and how well it fits."""

    index: str
    passage_id: str
    document_id: str
    revision: str
    score: float

    @property
    def key(self) -> Key:
        """What tells it from others: a passage may be there in two revisions."""
        return self.revision, self.passage_id


@dataclass(frozen=True, slots=True)
class _Found:
    """The passages that count, the revisions that were passed over, and those that count."""

    passages: list[Passage]
    passed_over: set[str]
    counting: set[str]


class Searching:
    """Two requests in all but rare cases: what fits best; then those passages whole, with their documents' records.

    A passage whose document says that another revision counts (one that is being written, or was replaced a moment ago)
    is passed over, and the search made again without that revision.
    """

    def __init__(self, cluster: Cluster, binding: Binding) -> None:
        self._cluster, self._binding = cluster, binding

    async def search(self, question: Question, limit: int) -> list[Passage]:
        """Return the best passages that count, `limit` at most; an index of another embedder is searched by words."""
        known, ours = await self._binding.last_seen(), self._binding.nature
        copy = secrets.token_hex(4)  # all requests go to one copy of the index: another may know less
        passed_over: set[str] = set()
        best: list[Passage] = []
        for _ in range(_ROUNDS):
            asked = _askable(replace(question, without=frozenset(passed_over)), known, ours)
            if asked is None:
                return []
            try:
                hits = await self._best(asked, _SPARE * limit, copy)
                if any(hit.index != known.index for hit in hits):
                    known = await self._binding.look_again()
                    if asked.vector is not None and not _same_embedder(known, ours):
                        continue
                found = await self._that_count(asked, hits, known.index, copy)
            except RefusedError:
                former, known = known, await self._binding.look_again()  # says so if the index is missing
                if known.index == former.index:
                    raise
                continue
            if len(found.passages) >= len(best):
                best = found.passages[:limit]
            if not found.passed_over or len(best) == limit:
                break
            passed_over = (passed_over | found.passed_over) - found.counting  # what is being written may count by now
        return best

    async def _best(self, question: Question, size: int, copy: str) -> list[Hit]:
        if self._binding.profile.pipeline:
            return _hits(await self._cluster.search(self._binding.alias, hybrid(question, size), preference=copy))
        parts = question.parts
        lists = [
            _hits(answer) for answer in await self._cluster.searches(self._binding.alias, separate(question), copy)
        ]
        hits = {hit.key: hit for found in lists for hit in found}
        if len(parts) == 1:
            scores = {key: hit.score for key, hit in hits.items()}
        else:
            scores = fused([{hit.key: hit.score for hit in found} for found in lists], [weight for _, weight in parts])
        best = sorted(scores, key=scores.__getitem__, reverse=True)[:size]
        return [replace(hits[key], score=scores[key]) for key in best]

    async def _that_count(self, question: Question, hits: list[Hit], index: str, copy: str) -> "_Found":
        """Tell the passages that count from the others."""
        if not hits:
            return _Found([], set(), set())
        looks = [
            whole({hit.passage_id for hit in hits}, {hit.revision for hit in hits}),
            records_of({hit.document_id for hit in hits}),
        ]
        found, records = await self._cluster.searches(index, looks, copy)
        sources: dict[Key, Json] = {
            (one["_source"]["revision"], one["_source"]["passage_id"]): one["_source"] for one in found
        }
        current = newest(map(record, records))
        passages: dict[str, Passage] = {}
        dropped: set[str] = set()
        for hit in hits:
            counts = current.get(hit.document_id)
            source = sources.get(hit.key)
            if source is None or counts is None or counts.deleted or counts.revision != hit.revision:
                dropped.add(hit.revision)
                continue
            passages.setdefault(hit.passage_id, found_passage(source, hit.score, question.vector))
        return _Found(list(passages.values()), dropped, {one.revision for one in current.values()})


def _askable(question: Question, known: Bound, ours: Nature) -> Question | None:
    """Return the question as this index can be asked it; None if nothing is left of it."""
    if not _same_embedder(known, ours):
        question = replace(question, vector=None)
    return question if question.words or question.vector is not None else None


def _same_embedder(known: Bound, ours: Nature) -> bool:
    return (known.nature.embedder, known.nature.dimension) == (ours.embedder, ours.dimension)


def _hits(found: list[Json]) -> list[Hit]:
    fields = ((one, {name: values[0] for name, values in one["fields"].items()}) for one in found)
    return [Hit(index=one["_index"], score=one["_score"], **values) for one, values in fields]
