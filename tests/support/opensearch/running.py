"""A node for as long as a test needs one."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.opensearch.distribution import CannotBeHadError
from tests.support.opensearch.node import Node


@contextmanager
def running_node() -> Iterator[Node]:
    """Start a node, and remove it at the end of the block; where none can be had, the test is skipped and says why."""
    try:
        node = Node()
        node.start()
    except CannotBeHadError as reason:
        pytest.skip(f"no OpenSearch: {reason}")
    yield node
    node.remove()
