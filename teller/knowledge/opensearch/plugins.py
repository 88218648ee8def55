"""Which of the plugins that a search needs the cluster has."""

from teller.errors import ConfigurationError
from teller.knowledge.opensearch.cluster import Cluster
from teller.knowledge.opensearch.profile import Profile

KNN = "opensearch-knn"
HYBRID = "opensearch-neural-search"


async def installed(cluster: Cluster) -> set[str]:
    """Return the plugins that every node has."""
    rows = await cluster.read("GET", "/_cat/plugins", format="json")
    nodes: dict[str, set[str]] = {}
    with cluster.reading():
        for row in rows:
            nodes.setdefault(row["name"], set()).add(row["component"])
    return set.intersection(*nodes.values()) if nodes else set()


async def fitting(cluster: Cluster, profile: Profile) -> Profile:
    """Return the profile for what is installed: without hybrid queries, words and meaning are fused by us.

    Raises:
        ConfigurationError: the cluster can't search vectors at all.
    """
    if not profile.pipeline:  # a service that has no plugins to list
        return profile
    found = await installed(cluster)
    if KNN not in found:
        raise ConfigurationError(f"The OpenSearch cluster lacks the plugin {KNN} on one of its nodes: install it")
    return profile if HYBRID in found else profile.without_pipeline()
