"""A Bedrock on the wire for each file of tests, with nothing of this machine's AWS account in reach."""

from collections.abc import AsyncIterator, Iterator

import pytest

from teller.models.bedrock import call as bedrock_call
from teller.models.bedrock.client import BedrockConnection, Keys
from tests.support.bedrock.client import BedrockWire


@pytest.fixture(scope="module")
def running_wire() -> Iterator[BedrockWire]:
    with BedrockWire() as wire:
        yield wire


@pytest.fixture
def wire(running_wire: BedrockWire, monkeypatch: pytest.MonkeyPatch) -> BedrockWire:
    """The wire as at its beginning; retries do not wait."""
    running_wire.reset()
    for name in ("AWS_BEARER_TOKEN_BEDROCK", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(bedrock_call, "_FIRST_PAUSE", 0.01)
    return running_wire


@pytest.fixture
async def connection(wire: BedrockWire) -> AsyncIterator[BedrockConnection]:
    keys = Keys("AKIDTEST", "not-a-secret")
    async with BedrockConnection(endpoint_url=wire.base_url, region_name="us-east-1", keys=keys) as opened:
        yield opened
