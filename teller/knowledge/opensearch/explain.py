"""Whether a cluster and its index can serve, for whoever sets them up: what is there, or what is wrong and its mend."""

from teller.errors import ConfigurationError, SearchUnavailableError
from teller.knowledge.opensearch.address import Address
from teller.knowledge.opensearch.alias import Bound, bound
from teller.knowledge.opensearch.cluster import Cluster
from teller.knowledge.opensearch.mapping import Nature, refuse_another
from teller.knowledge.opensearch.plugins import fitting, why_no_hybrid
from teller.knowledge.opensearch.profile import Profile


async def explain(address: Address, alias: str, nature: Nature, search_seconds: float) -> str:
    """Return what is there, in one line; change nothing.

    Raises:
        TellerError: it can't serve as it is; the message says how to mend it.
    """
    cluster = Cluster(address, search_seconds)
    try:
        wanted = Profile.of(address.service)
        version = await _version(cluster, address)
        profile = await fitting(cluster, wanted)
        if wanted.pipeline and not profile.pipeline:
            raise ConfigurationError(await why_no_hybrid(cluster))
        found = await bound(cluster, alias)
        if found is None:
            raise ConfigurationError(
                f"The index {alias} is missing: `teller migrate` makes it, and so does a start of `teller serve`"
            )
        refuse_another(found.nature, nature, alias)
        return f"OpenSearch{version}, {alias} leads to {found.index}{await _health(cluster, profile, found)}"
    finally:
        await cluster.close()


async def _version(cluster: Cluster, address: Address) -> str:
    if address.service == "aoss":  # Serverless has none
        return " Serverless"
    answer = await cluster.read("GET", "/")
    with cluster.reading():
        return f" {answer['version']['number']}"


async def _health(cluster: Cluster, profile: Profile, found: Bound) -> str:
    """Tell the index' health; a red one can't be searched whole."""
    if not profile.refresh:
        return ""
    answer = await cluster.read("GET", f"/_cluster/health/{found.index}")
    with cluster.reading():
        health = answer["status"]
    if health == "red":
        raise SearchUnavailableError(
            f"A shard of {found.index} is on no node (red): bring back the node that has it, or restore it"
        )
    return f", {health}"
