"""The clients of Node: a script of `node/` plays what is asked and prints what it heard."""

import json
import select
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.clients.scene import Ask, Called, Failed, Heard

NODE = Path(__file__).with_name("node")
_LONGEST_SECONDS = 60


class NodeClient:
    """A client in a process of its own, which is started by the first ask; `close` ends it."""

    def __init__(self, script: str, *packages: str) -> None:
        self._command = (script, *packages)
        self._process: subprocess.Popen[str] | None = None

    def __call__(self, ask: Ask) -> Heard:
        """Ask; without Node or the packages the test is skipped."""
        process = self._process = self._process or self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{json.dumps(asdict(ask))}\n")
        process.stdin.flush()
        assert select.select([process.stdout], [], [], _LONGEST_SECONDS)[0], "the script does not answer"
        answer = process.stdout.readline()
        assert answer, "the script broke off; what it said stands in the captured stderr"
        return _heard(answer)

    def close(self) -> None:
        """End the process."""
        if self._process:
            self._process.communicate(timeout=10)
            self._process = None

    def _started(self) -> subprocess.Popen[str]:
        node = shutil.which("node")
        if node is None or not (NODE / "node_modules" / ".package-lock.json").exists():
            pytest.skip("NOT TESTED: the clients of Node are not there; tests/support/get_parts.sh says why")
        command = [node, *self._command]
        return subprocess.Popen(command, cwd=NODE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _heard(answer: str) -> Heard:
    told = json.loads(answer)
    calls = [Called(**call) for call in told.pop("calls", ())]
    failed, tokens = told.pop("failed", None), told.pop("tokens", None)
    return Heard(
        **told, calls=calls, failed=Failed(**failed) if failed else None, tokens=tuple(tokens) if tokens else None
    )
