"""The clients of Node: a script of `node/` plays what is asked and prints what it heard."""

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.clients.scene import Ask, Called, Failed, Heard

NODE = Path(__file__).with_name("node")


def by(script: str, *packages: str) -> Callable[[Ask], Heard]:
    """Return a client that asks with these packages."""

    def client(ask: Ask) -> Heard:
        return _run(script, packages, ask)

    return client


def _run(script: str, packages: tuple[str, ...], ask: Ask) -> Heard:
    node = shutil.which("node")
    if node is None or not (NODE / "node_modules" / ".package-lock.json").exists():
        pytest.skip("NOT TESTED: the clients of Node are not installed; tests/support/get_parts.sh says why")
    done = subprocess.run(
        [node, script, *packages], cwd=NODE, input=json.dumps(asdict(ask)), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    heard = json.loads(done.stdout)
    calls = [Called(**call) for call in heard.pop("calls", ())]
    failure, tokens = heard.pop("failed", None), heard.pop("tokens", None)
    return Heard(
        **heard, calls=calls, failed=Failed(**failure) if failure else None, tokens=tuple(tokens) if tokens else None
    )
