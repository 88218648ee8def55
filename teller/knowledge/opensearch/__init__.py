"""The knowledge index on an OpenSearch cluster. Its library is imported only where a cluster is configured."""
