"""Where the alias leads, as this process last saw it: it may be moved to another index at any moment."""

from collections.abc import AsyncIterator

import structlog

from teller.errors import ConfigurationError, SearchUnavailableError
from teller.knowledge.opensearch.alias import Bound, bound, create_first
from teller.knowledge.opensearch.cluster import Cluster
from teller.knowledge.opensearch.mapping import Nature, refuse_another
from teller.knowledge.opensearch.plugins import fitting
from teller.knowledge.opensearch.profile import Profile

_log = structlog.get_logger(__name__)


class Binding:
    """An alias, what this process puts behind it, and what the cluster there can do (`profile`).

    All but `prepare` raise SearchUnavailableError where the cluster fails, or where nothing of ours is there.
    """

    def __init__(self, cluster: Cluster, alias: str, nature: Nature, profile: Profile) -> None:
        self.alias, self.nature, self.profile = alias, nature, profile
        self._cluster = cluster
        self._seen: Bound | None = None

    async def prepare(self) -> Bound:
        """Look at the cluster, and at the index behind the alias; make it if it is missing.

        Raises:
            ConfigurationError: the cluster lacks k-NN, or the index is not ours to use.
        """
        self.profile = await fitting(self._cluster, self.profile)
        found = await bound(self._cluster, self.alias)
        if found is None:
            await create_first(self._cluster, self.alias, self.nature, self.profile)
            found = await bound(self._cluster, self.alias)
        if found is None:
            raise SearchUnavailableError(f"The index {self.alias} was made, but OpenSearch does not show it yet")
        refuse_another(found.nature, self.nature, self.alias)
        self._seen = found
        return found

    async def last_seen(self) -> Bound:
        """Return where the alias led when it was last looked at."""
        if self._seen is None:
            try:
                return await self.prepare()
            except ConfigurationError as wrong:  # found out too late to stop the start
                raise SearchUnavailableError(str(wrong)) from wrong
        return self._seen

    async def now(self) -> Bound:
        """Return where the alias leads now: what is told of the index is not to be an old one's."""
        await self.last_seen()
        return await self.look_again()

    async def look_again(self, cluster: Cluster | None = None) -> Bound:
        """Return where the alias leads now, for one that was seen before."""
        try:
            found = await bound(cluster or self._cluster, self.alias)
        except ConfigurationError as wrong:
            raise SearchUnavailableError(str(wrong)) from wrong
        if found is None:
            raise SearchUnavailableError(
                f"The OpenSearch index {self.alias} is missing: start `teller serve` again, or run `teller ingest`"
            )
        if self._seen and found.index != self._seen.index:
            _log.info("the alias leads to another index now", index=found.index)
        self._seen = found
        return found

    async def writable(self) -> Bound:
        """Return where the alias leads now, if what this process makes belongs there.

        Raises:
            SearchUnavailableError: also where the index was built anew for another embedder.
        """
        await self.last_seen()
        found = await self.look_again(self._cluster.patient)
        try:
            refuse_another(found.nature, self.nature, self.alias)
        except ConfigurationError as wrong:
            raise SearchUnavailableError(str(wrong)) from wrong
        return found

    async def indexes_to_write(self) -> AsyncIterator[str]:
        """Yield the index to write to; and the next one, if the alias has moved there meanwhile."""
        index = ""
        while (now := (await self.writable()).index) != index:
            index = now
            yield index
