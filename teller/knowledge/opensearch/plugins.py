"""Which of the plugins that a search needs the cluster has, and whether they are new enough."""

import re

from teller.errors import ConfigurationError
from teller.knowledge.opensearch.cluster import Cluster
from teller.knowledge.opensearch.profile import Profile

Version = tuple[int, int]

_KNN = "opensearch-knn"
_HYBRID = "opensearch-neural-search"
_HYBRID_SINCE = (2, 19)  # older ones refuse a query that names its depth


async def installed(cluster: Cluster) -> dict[str, Version]:
    """Return the plugins that every node has, each with the oldest version of it; one that can't be read is 0.0.

    A plugin has its cluster's version. The cluster's own word for it is one node's, and Amazon's may name another.
    """
    rows = await cluster.read("GET", "/_cat/plugins", format="json")
    nodes: dict[str, dict[str, Version]] = {}
    with cluster.reading():
        for row in rows:
            nodes.setdefault(row["name"], {})[row["component"]] = _version(row.get("version") or "")
    everywhere = set.intersection(*map(set, nodes.values())) if nodes else set()
    return {name: min(node[name] for node in nodes.values()) for name in everywhere}


async def fitting(cluster: Cluster, profile: Profile) -> Profile:
    """Return the profile for what is installed: without hybrid queries, words and meaning are fused by us.

    Raises:
        ConfigurationError: the cluster can't search vectors at all.
    """
    if not profile.pipeline:  # a service that has no plugins to list
        return profile
    found = await installed(cluster)
    if _KNN not in found:
        raise ConfigurationError(f"The OpenSearch cluster lacks the plugin {_KNN} on one of its nodes: install it")
    return profile if found.get(_HYBRID, (0, 0)) >= _HYBRID_SINCE else profile.without_pipeline()


async def why_no_hybrid(cluster: Cluster) -> str:
    """Return why the cluster can't be sent hybrid queries, and what to do."""
    found = (await installed(cluster)).get(_HYBRID)
    lacks, mend = f"lacks the plugin {_HYBRID}", "install it"
    if found:
        lacks, mend = f"has the plugin {_HYBRID} {found[0]}.{found[1]}", "bring it up to 2.19"
    return (
        f"The cluster {lacks} on one of its nodes, and so not the pipeline that joins words and meaning. Teller serves"
        f" without it, and joins them itself, more slowly: {mend}"
    )


def _version(text: str) -> Version:
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)
