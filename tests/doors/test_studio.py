"""LangGraph Studio: `langgraph dev` starts offline and runs the graph through its SDK."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from langgraph_sdk import get_client

from tests.support.server import ROOT, environment, free_port


@pytest.fixture
def studio(data_dir: Path, tmp_path: Path) -> Iterator[str]:
    """A running `langgraph dev` over a copy of the configuration, so that the checkout stays clean."""
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


async def test_the_graph_runs_in_studio(studio: str) -> None:
    client = get_client(url=studio)
    assistants = await client.assistants.search()
    assert [assistant["graph_id"] for assistant in assistants] == ["teller"]
    thread = await client.threads.create()
    given = {
        "messages": [{"role": "user", "content": "is my card active?"}],
        "caller": {"phone": "+1234567890"},
    }
    final = await client.runs.wait(thread["thread_id"], "teller", input=given, context={"channel": "chat"})
    assert final["messages"][-1]["content"] == "Your Everyday Visa ending 1881 is active."


async def test_studio_shows_the_options_as_fields(studio: str) -> None:
    client = get_client(url=studio)
    schemas = await client.assistants.get_schemas((await client.assistants.search())[0]["assistant_id"])
    assert {"model", "temperature", "max_tokens", "channel"} <= set(schemas["context_schema"]["properties"])


async def test_studio_streams_tokens_of_one_message(studio: str) -> None:
    client = get_client(url=studio)
    given = {"messages": [{"role": "user", "content": "What loan options are available?"}]}
    ids: set[str] = set()
    async for part in client.runs.stream(None, "teller", input=given, stream_mode="messages-tuple"):
        if part.event == "messages" and part.data[0]["type"] == "AIMessageChunk":
            ids.add(part.data[0]["id"])
    assert len(ids) == 1
