"""LangGraph Studio: `langgraph dev` starts offline and runs the graph through its SDK."""

import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from tests.support.server import ROOT, environment, free_port


@pytest.fixture(scope="module")
def studio(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running `langgraph dev` over a copy of the configuration, so that the checkout stays clean."""
    tmp_path = tmp_path_factory.mktemp("studio")
    data_dir = shutil.copytree(bank, tmp_path / "data")
    port = free_port()
    command = [str(Path(sys.executable).with_name("langgraph")), "dev", "--no-browser", "--no-reload"]
    env = environment(data_dir, PYTHONPATH=str(ROOT), LANGSMITH_TRACING="false")
    shutil.copy(ROOT / "langgraph.json", tmp_path)
    with (tmp_path / "studio.log").open("w") as log:
        process = subprocess.Popen([*command, "--port", str(port)], cwd=tmp_path, env=env, stdout=log, stderr=log)
    base_url = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            if httpx.get(f"{base_url}/ok").status_code == 200:
                break
        except httpx.TransportError:
            time.sleep(0.1)
        assert process.poll() is None, (tmp_path / "studio.log").read_text()
    yield base_url
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture
async def client(studio: str) -> AsyncIterator[LangGraphClient]:
    """Studio's own SDK."""
    async with get_client(url=studio) as opened:
        yield opened


async def test_the_graph_runs_in_studio(client: LangGraphClient) -> None:
    assistants = await client.assistants.search()
    assert [assistant["graph_id"] for assistant in assistants] == ["teller"]
    thread = await client.threads.create()
    given: dict[str, Any] = {
        "messages": [{"role": "user", "content": "is my card active?"}],
        "caller": {"phone": "+1234567890"},
    }
    final = await client.runs.wait(thread["thread_id"], "teller", input=given, context={"channel": "chat"})
    assert isinstance(final, dict)
    assert final["messages"][-1]["content"] == "Your Everyday Visa ending 1881 is active."


async def test_studio_shows_the_options_as_fields(client: LangGraphClient) -> None:
    schemas = await client.assistants.get_schemas((await client.assistants.search())[0]["assistant_id"])
    assert schemas["context_schema"]
    assert {"model", "temperature", "max_tokens", "channel"} <= set(schemas["context_schema"]["properties"])


async def test_studio_streams_tokens_of_one_message(client: LangGraphClient) -> None:
    given: dict[str, Any] = {"messages": [{"role": "user", "content": "What loan options are available?"}]}
    ids: set[str] = set()
    async for part in client.runs.stream(None, "teller", input=given, stream_mode="messages-tuple"):
        if part.event == "messages" and part.data[0]["type"] == "AIMessageChunk":
            ids.add(part.data[0]["id"])
    assert len(ids) == 1
