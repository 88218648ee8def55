"""Who signs: keys, bearer tokens, none, half, and credentials that expire while others are being answered."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from teller.errors import UpstreamAuthError
from teller.models.bedrock.client import BedrockConnection
from teller.models.bedrock.model import AsyncChatBedrockConverse
from tests.support.bedrock.client import BedrockWire

LITE = "amazon.nova-lite-v1:0"
ANSWER: dict[str, Any] = {"text": "one two three four", "split": ["one ", "two ", "three ", "four"]}


def model(connection: BedrockConnection) -> AsyncChatBedrockConverse:
    return AsyncChatBedrockConverse(model_id=LITE, connection=connection)


async def answer(nova: AsyncChatBedrockConverse) -> str:
    """A whole answer."""
    return "".join([chunk.text async for chunk in nova.astream("Hello")])


async def test_no_credentials_anywhere(wire: BedrockWire, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_files(monkeypatch, tmp_path)
    async with BedrockConnection(endpoint_url=wire.base_url, region_name="us-east-1") as unsigned:
        with pytest.raises(UpstreamAuthError):
            await answer(model(unsigned))
    assert wire.requests() == []


async def test_a_partial_set_of_credentials(wire: BedrockWire, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_files(monkeypatch, tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDALONE")
    async with BedrockConnection(endpoint_url=wire.base_url, region_name="us-east-1") as partial:
        with pytest.raises(UpstreamAuthError):
            await answer(model(partial))
    assert wire.requests() == []


@pytest.mark.parametrize("helper", ["false", "no-such-command", "echo no-json"])
async def test_a_helper_that_gives_no_credentials(
    helper: str, wire: BedrockWire, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without_files(monkeypatch, tmp_path)
    (tmp_path / "config").write_text(f"[default]\ncredential_process = {helper}\n", "utf-8")
    async with BedrockConnection(endpoint_url=wire.base_url, region_name="us-east-1") as unsigned:
        with pytest.raises(UpstreamAuthError):
            await answer(model(unsigned))


async def test_credentials_that_expire_are_read_anew_while_others_are_being_answered(
    wire: BedrockWire, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = without_files(monkeypatch, tmp_path)
    write_credentials(file, "AKIDOLD")
    async with BedrockConnection(endpoint_url=wire.base_url, region_name="us-east-1") as renewing:
        nova = model(renewing)
        wire.script({**ANSWER, "chunk_ms": 150})
        under_way = asyncio.create_task(answer(nova))
        await asyncio.to_thread(wire.wait_for, lambda seen: len(seen) == 1)
        wire.script({"fault": "ExpiredTokenException", "access_key": "AKIDOLD", "times": "forever"})
        write_credentials(file, "AKIDNEW")
        assert set(await asyncio.gather(*(answer(nova) for _ in range(20)))) == {"You said: Hello"}
        assert await under_way == ANSWER["text"]
    signers = [(one.signer or {})["access_key"] for one in wire.requests() if one.status == 200]
    assert signers == ["AKIDOLD"] + ["AKIDNEW"] * 20


async def test_a_bearer_token_comes_before_keys(wire: BedrockWire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "from-the-environment")
    for token in (None, "given"):
        opened = BedrockConnection(endpoint_url=wire.base_url, region_name="us-east-1", bearer_token=token)
        async with opened as connection:
            await answer(model(connection))
    assert [(one.signer or {})["scheme"] for one in wire.requests()] == ["bearer", "bearer"]


def without_files(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Send botocore to a credentials file of this test's own, which is not there yet."""
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    return folder / "credentials"


def write_credentials(file: Path, access_key: str) -> None:
    file.write_text(f"[default]\naws_access_key_id = {access_key}\naws_secret_access_key = not-a-secret\n", "utf-8")
