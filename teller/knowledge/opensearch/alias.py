"""The alias that is searched, and the versioned index behind it: `teller-knowledge` -> `teller-knowledge-000001`."""

import re
from dataclasses import dataclass

from teller.errors import ConfigurationError
from teller.knowledge.opensearch.cluster import Cluster
from teller.knowledge.opensearch.failures import RefusedError
from teller.knowledge.opensearch.mapping import Nature, index_body
from teller.knowledge.opensearch.profile import Profile

_VERSION = re.compile(r"-(\d{6})$")


@dataclass(frozen=True, slots=True)
class Bound:
    """The index that the alias leads to, and what made it."""

    index: str
    nature: Nature


async def bound(cluster: Cluster, alias: str) -> Bound | None:
    """Return where the alias leads; None where there is none.

    Raises:
        ConfigurationError: what has that name is not ours, or not a single index.
        SearchUnavailableError: the cluster does not tell.
    """
    try:
        found = await cluster.read("GET", f"/{alias}/_mapping")
    except RefusedError as refused:
        if refused.is_missing_index:
            return None
        raise
    if len(found) > 1:
        names = " and ".join(sorted(found))
        raise ConfigurationError(f"OPENSEARCH_INDEX: the alias {alias} leads to {names}: leave it to one of them")
    with cluster.reading():
        ((index, described),) = found.items()
        nature = Nature.of(described["mappings"])
    if nature is None or index == alias:
        raise ConfigurationError(f"OPENSEARCH_INDEX: {alias} is no index of Teller's: set another name")
    return Bound(index, nature)


async def create_first(cluster: Cluster, alias: str, nature: Nature, profile: Profile) -> None:
    """Make the first index with its alias, unless another process does it in this moment."""
    body = index_body(nature, profile) | {"aliases": {alias: {}}}
    try:
        await cluster.write("PUT", f"/{alias}-000001", body)
    except RefusedError as refused:
        if refused.kind != "resource_already_exists_exception":
            raise


async def create_next(cluster: Cluster, alias: str, nature: Nature, profile: Profile) -> str:
    """Make the next index beside the one that is searched, and return its name; no alias leads to it yet."""
    number = max((_number(name) for name in await versions(cluster, alias)), default=0) + 1
    name = f"{alias}-{number:06}"
    await cluster.write("PUT", f"/{name}", index_body(nature, profile), again=False)
    return name


async def move(cluster: Cluster, alias: str, former: str, index: str) -> None:
    """Lead the alias from one index to another, in one step that no search sees half of."""
    actions = [
        {"remove": {"index": former, "alias": alias, "must_exist": True}},
        {"add": {"index": index, "alias": alias}},
    ]
    await cluster.write("POST", "/_aliases", {"actions": actions}, again=False)


async def versions(cluster: Cluster, alias: str) -> list[str]:
    """Return the names of all indexes that were made for the alias, oldest first."""
    found = await cluster.read("GET", f"/{alias}-*/_alias")
    return sorted((name for name in found if _number(name)), key=_number)


async def remove(cluster: Cluster, index: str) -> None:
    """Remove an index that nothing leads to."""
    await cluster.write("DELETE", f"/{index}", ignore_unavailable="true")


def _number(name: str) -> int:
    version = _VERSION.search(name)
    return int(version[1]) if version else 0
