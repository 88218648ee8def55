"""The Dockerfile without an engine: its own commands install into a scratch folder, start there and are healthy.

Needs Python's package index, or what an earlier run left in uv's and pip's caches. Without either the run is skipped;
where CI is set it fails. That an image can be built is not shown here.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import httpx
import pytest

from tests.support.server import ROOT, free_port

APP = "/app"
DATA = "/data"


@dataclass(frozen=True, slots=True)
class Instruction:
    name: str
    value: str

    @property
    def command(self) -> str:
        """The command of a RUN, without its mounts."""
        return re.sub(r"--mount=\S+\s+", "", self.value)

    @property
    def words(self) -> list[str]:
        """The exec form of a CMD or HEALTHCHECK."""
        words: list[str] = json.loads(self.value[self.value.index("[") :])
        return words


def instructions() -> list[Instruction]:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#")).replace("\\\n", " ")
    split = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    return [Instruction(name, re.sub(r"\s+", " ", value)) for name, value in split]


def last_stage() -> list[Instruction]:
    every = instructions()
    starts = [place for place, one in enumerate(every) if one.name == "FROM"]
    return every[starts[-1] :]


def values(name: str) -> list[str]:
    return [one.value for one in last_stage() if one.name == name]


def environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for value in values("ENV") for pair in shlex.split(value))


def context() -> list[Path]:
    """The files that .dockerignore lets through, relative to the checkout; the last pattern that fits decides."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    patterns = [line for line in lines if line.strip() and not line.startswith("#")]

    def ignored(file: PurePosixPath) -> bool:
        verdict = False
        for pattern in patterns:
            bare = pattern.removeprefix("!")
            for part in [file, *file.parents][:-1]:
                name = part.name if bare.startswith("**/") else str(part)
                if fnmatch(name, bare.removeprefix("**/")):
                    verdict = not pattern.startswith("!")
        return verdict

    top = [entry for entry in ROOT.iterdir() if entry.name not in (".git", ".venv")]
    files = [file for entry in top for file in ([entry] if entry.is_file() else entry.rglob("*")) if file.is_file()]
    relative = [file.relative_to(ROOT) for file in files]
    return [file for file in relative if not ignored(PurePosixPath(file.as_posix()))]


def test_it_runs_as_nobody_special_on_a_slim_base() -> None:
    stage = last_stage()
    assert stage[0].value == "python:3.11-slim"
    assert values("USER") == ["teller"]
    assert [one.name for one in stage].index("USER") < [one.name for one in stage].index("CMD")
    assert environment()["HOST"] == "0.0.0.0"
    assert environment()["DATA_DIR"] == DATA
    assert values("VOLUME") == [DATA]


def test_dependencies_are_installed_before_the_code_comes_in() -> None:
    stage = [one for one in last_stage() if one.name in ("COPY", "RUN") and "useradd" not in one.value]
    copied, install = stage[0], stage[1]
    assert copied == Instruction("COPY", "pyproject.toml uv.lock ./")
    assert "uv sync --frozen" in install.command
    assert "--no-install-project" in install.command


def test_uv_is_the_version_that_make_installs() -> None:
    pinned = re.findall(r"uv==[\d.]+", (ROOT / "Makefile").read_text("utf-8"))
    assert {pin for one in instructions() for pin in re.findall(r"uv==[\d.]+", one.value)} == set(pinned)


def test_only_the_rooms_that_serve_go_into_the_image() -> None:
    files = {file.as_posix() for file in context()}
    tops = {file.split("/")[0] for file in files}
    assert {"server.py", "graph/workflow.py", "teller/models/bge-small-en-v1.5/model.onnx"} <= files
    assert not tops & {".env", ".git", ".data", ".venv", "tests", "bench"}
    assert not [file for file in files if "__pycache__" in file]


@dataclass(frozen=True, slots=True)
class Scratch:
    """A folder in the place of the image's root, and the environment of its commands."""

    root: Path
    env: dict[str, str]

    @property
    def app(self) -> Path:
        return self.root / APP.removeprefix("/")

    def run(self, command: str | list[str]) -> subprocess.CompletedProcess[str]:
        shell = isinstance(command, str)
        return subprocess.run(command, shell=shell, cwd=self.app, env=self.env, capture_output=True, text=True)

    def files(self) -> set[Path]:
        return {file for file in self.app.rglob("*") if ".venv" not in file.parts}


def developers_environment() -> dict[str, str]:
    """What the installers need to reach the index from this machine, and nothing else."""
    kept = re.compile(r"PATH|HOME|LANG|TMPDIR|PIP_.*|UV_.*|SSL_.*|REQUESTS_.*|(http|https|no|all)_proxy", re.IGNORECASE)
    return {name: value for name, value in os.environ.items() if kept.fullmatch(name)}


def made_environment(root: Path, installer: Path) -> dict[str, str]:
    """The ENV of the image, its paths moved into the scratch folder. uv may link: no cache mount lies between."""
    own = {name: value for name, value in environment().items() if name not in ("PATH", "UV_LINK_MODE")}
    moved = {name: value.replace(DATA, str(root / "data")) for name, value in own.items()}
    base = developers_environment()
    path = f"{root}{APP}/.venv/bin:{installer}/bin:{base['PATH']}"
    return {**base, **moved, "PATH": path, "HOST": "127.0.0.1", "PORT": str(free_port())}


def copy_in(value: str, app: Path) -> None:
    *sources, target = value.split()
    files = context()
    for source in sources:
        for file in files if source == "." else [Path(source)]:
            assert file in files
            place = app / target / file
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, place)


@pytest.fixture(scope="module")
def scratch() -> Iterator[Scratch]:
    """What the COPY and RUN commands of the Dockerfile make of an empty folder (but the one that adds the user)."""
    with TemporaryDirectory(prefix="teller-image-") as name:
        root = Path(name)
        installer = root / "installer"
        venv.create(installer, with_pip=True)
        scratch = Scratch(root, made_environment(root, installer))
        scratch.app.mkdir()
        for one in instructions():
            if one.name == "COPY":
                copy_in(one.value, scratch.app)
            elif one.name == "RUN" and "useradd" not in one.value:
                done = scratch.run(one.command)
                if done.returncode and "CI" not in os.environ and cannot_reach_the_index(done.stderr):
                    pytest.skip(f"the package index can't be reached: {one.command}")
                assert done.returncode == 0, f"{one.command}\n{done.stderr}"
        yield scratch


def cannot_reach_the_index(text: str) -> bool:
    return any(
        sign in text
        for sign in ("Failed to establish a new connection", "NameResolutionError", "error sending request")
    )


def answer(question: str, port: str) -> str:
    body = {"messages": [{"role": "user", "content": question}], "stream": False}
    reply = httpx.post(f"http://127.0.0.1:{port}/api/chat/completions/", json=body, timeout=30)
    content: str = reply.json()["choices"][0]["message"]["content"]
    return content


def test_it_installs_starts_is_healthy_and_stops(scratch: Scratch) -> None:
    command = next(one for one in reversed(last_stage()) if one.name == "CMD").words
    health = next(one for one in last_stage() if one.name == "HEALTHCHECK").words
    before = scratch.files()
    assert scratch.run(health).returncode != 0, "healthy before anything runs"
    log = scratch.root / "log"
    with log.open("w") as printed:
        server = subprocess.Popen(command, cwd=scratch.app, env=scratch.env, stdout=printed, stderr=printed)
    try:
        deadline = time.monotonic() + 60
        while scratch.run(health).returncode:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        said = answer("Block my credit card [phone: +1234567890]", scratch.env["PORT"])
        assert "I've blocked your Everyday Visa ending 1881" in said
    finally:
        server.terminate()
        server.wait(timeout=10)
    assert server.returncode in (0, -15)
    assert scratch.files() == before, "something was written outside DATA_DIR, where the image's user may not write"
