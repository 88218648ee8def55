"""A real OpenSearch for the tests and for `make opensearch`: fetched from Maven Central, put together, run."""
