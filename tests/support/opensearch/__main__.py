"""`make opensearch` and `make opensearch-stop`: a node that stays, for a developer; `check` is for get_parts.sh."""

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import httpx

from tests.support.opensearch.distribution import CannotBeHadError, distribution, java_home
from tests.support.opensearch.node import Node

_PORT = 9200
_STATE = Path(tempfile.gettempdir()) / f"teller-opensearch-{os.getuid()}.json"


def start() -> str:
    url = f"http://127.0.0.1:{_PORT}"
    if not _answers(url):
        node = Node(port=_PORT)
        node.start()
        _STATE.write_text(json.dumps({"pid": node.pid, "folder": str(node.folder)}))
    return (
        f"OpenSearch listens on {url}. To serve on it:\n"
        f"  OPENSEARCH_URL={url} make serve\n"
        "To stop it, and throw away what it holds:\n"
        "  make opensearch-stop"
    )


def stop() -> str:
    if not _STATE.exists():
        return "No OpenSearch was left running here."
    state = json.loads(_STATE.read_text())
    try:
        os.kill(state["pid"], signal.SIGTERM)
        while _runs(state["pid"]):
            time.sleep(0.1)
    except ProcessLookupError:
        pass
    shutil.rmtree(state["folder"], ignore_errors=True)
    _STATE.unlink()
    return "OpenSearch is stopped."


def check() -> str:
    java_home()
    return f"OpenSearch is at {distribution()}"


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


if __name__ == "__main__":
    try:
        print({"start": start, "stop": stop, "check": check}[sys.argv[1]]())
    except CannotBeHadError as reason:
        sys.exit(f"no OpenSearch: {reason}")
