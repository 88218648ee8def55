"""The index built anew beside the one that is searched, then put in its place: for another embedder or mapping.

Searches go on meanwhile and never fail: the alias moves in one step. What is written to the former index while the new
one is built is carried over, before and after the move. The former index stays until the next time, to go back to.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from teller.errors import SearchUnavailableError
from teller.knowledge.opensearch.address import Address
from teller.knowledge.opensearch.alias import Bound, bound, create_first, create_next, move, remove, versions
from teller.knowledge.opensearch.cluster import Cluster
from teller.knowledge.opensearch.documents import Documents
from teller.knowledge.opensearch.failures import RefusedError
from teller.knowledge.opensearch.mapping import Nature, refuse_newer
from teller.knowledge.opensearch.plugins import fitting
from teller.knowledge.opensearch.profile import Profile
from teller.knowledge.opensearch.records import Json, Record, Revision, passage
from teller.models.vector_cache import Embedder, VectorCache

_LOOKS = 100


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was done: the index that is searched now, and the one that was."""

    index: str
    former: str


class Rebuild:
    """Builds the index behind an alias anew."""

    def __init__(self, cluster: Cluster, alias: str, nature: Nature, profile: Profile, vectors: VectorCache) -> None:
        self._cluster, self._alias, self._nature, self._profile = cluster, alias, nature, profile
        self._vectors = vectors
        self._kept = Documents(cluster.patient, profile)

    async def run(self, progress: Callable[[int, int], None] = lambda _, __: None) -> Rebuilt | None:
        """Build it anew if it is another embedder's or of another mapping; make it if it is missing.

        Args:
            progress: Told how many documents are carried over, of how many.

        Returns:
            What was done; None if nothing had to be built anew.

        Raises:
            ConfigurationError: what has the alias' name is not ours, or was made by a newer version.
            SearchUnavailableError: the cluster failed; what is searched is as it was.
        """
        self._profile = await fitting(self._cluster, self._profile)
        former = await bound(self._cluster, self._alias)
        if former is None:
            await create_first(self._cluster, self._alias, self._nature, self._profile)
            return None
        if former.nature == self._nature:
            return None
        refuse_newer(former.nature, self._alias)
        every = await versions(self._cluster, self._alias)
        for name in every[: every.index(former.index)] if former.index in every else ():
            await remove(self._cluster, name)
        index = await create_next(self._cluster, self._alias, self._nature, self._profile)
        await self._carry_over(former, index, progress)
        try:
            await move(self._cluster, self._alias, former.index, index)
        except RefusedError as refused:
            told = f"{self._alias} was led elsewhere meanwhile, by another `teller migrate` maybe: run it again"
            raise SearchUnavailableError(told) from refused
        await self._carry_over(former, index, progress)  # a writer may have been at work while it moved
        return Rebuilt(index, former.index)

    async def _carry_over(self, former: Bound, index: str, progress: Callable[[int, int], None]) -> None:
        """Bring the new index up to the former one; look again until nothing was written meanwhile."""
        for _ in range(_LOOKS):
            await self._kept.make_visible(former.index)
            theirs, ours = await self._kept.all(former.index), await self._kept.all(index)
            missing = [one for name, one in theirs.items() if name not in ours or ours[name].revision < one.revision]
            if not missing:
                return
            for done, one in enumerate(missing):
                await self._carry(former, index, one)
                progress(done + 1, len(missing))

    async def _carry(self, former: Bound, index: str, record: Record) -> None:
        """Put a document into the new index as the very revision it is: a newer one that is there goes on counting."""
        sources: list[Json] = []
        if not record.deleted:
            sources = [source async for source in self._kept.passages(former.index, record)]
            await self._embed(sources, anew=former.nature.embedder != self._nature.embedder)
        await self._kept.put(index, [Revision(record.document, record.revision, sources, record.deleted)])

    async def _embed(self, sources: list[Json], *, anew: bool) -> None:
        without = [source for source in sources if anew or source["waiting"]]
        vectors = await self._vectors.vectors([passage(source).embedding_text for source in without])
        for source, vector in zip(without, vectors, strict=True):
            source.pop("embedding", None)
            source["waiting"] = False
            if length := float(np.linalg.norm(vector)):
                source["embedding"] = (vector / length).astype(np.float32)


async def rebuild(
    address: Address,
    alias: str,
    embedder: Embedder,
    vectors: VectorCache,
    search_seconds: float,
    progress: Callable[[int, int], None] = lambda _, __: None,
    profile: Profile | None = None,
) -> Rebuilt | None:
    """Build the index behind an alias anew for an embedder, if it has to be; see `Rebuild.run`."""
    cluster = Cluster(address, search_seconds)
    try:
        nature = Nature(embedder.name, embedder.dimension)
        return await Rebuild(cluster, alias, nature, profile or Profile.of(address.service), vectors).run(progress)
    finally:
        await cluster.close()
