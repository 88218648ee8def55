"""One node of a real OpenSearch, on ports of its own; as root it runs as the user `opensearch`, or `nobody`."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from tests.support.opensearch.distribution import CannotBeHadError, distribution, java_home
from tests.support.server import free_port

_SETTINGS = """cluster.name: teller-{port}
node.name: n1
path.data: {folder}/data
path.logs: {folder}/logs
network.host: 127.0.0.1
http.port: {port}
transport.port: {transport}
discovery.type: single-node
cluster.routing.allocation.disk.threshold_enabled: false
action.auto_create_index: false
"""
_JVM = """-Xms512m
-Xmx512m
-XX:+UseG1GC
-XX:G1ReservePercent=25
-XX:InitiatingHeapOccupancyPercent=30
-Djava.io.tmpdir={folder}/tmp
-XX:ErrorFile={folder}/logs/hs_err_pid%p.log
-Djava.util.concurrent.ForkJoinPool.common.threadFactory=org.opensearch.secure_sm.SecuredForkJoinWorkerThreadFactory
"""
_PATIENCE_SECONDS = 120  # a start takes 7 s on a calm machine


class Node:
    """A node and its folder. Start it, and `remove` it in the end; it can be killed and started again in between.

    Raises:
        CannotBeHadError: this machine can't run one.
    """

    def __init__(self, folder: Path | None = None, port: int = 0) -> None:
        self._server, self._java = distribution(), java_home()
        self._user = _server_user()
        self.folder = folder or Path(tempfile.mkdtemp(prefix="teller-opensearch-"))
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None
        if self._user and not _reachable(self._server, self._user):
            # The cache is root's alone: the server's user gets a copy.
            self._server = shutil.copytree(self._server, self.folder / "server", dirs_exist_ok=True)
        self._configure()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it and return when it can be searched."""
        environment = {
            "PATH": os.environ["PATH"],
            "OPENSEARCH_PATH_CONF": str(self.folder / "config"),
            "OPENSEARCH_TMPDIR": str(self.folder / "tmp"),
            "OPENSEARCH_JAVA_HOME": str(self._java),
        }
        with (self.folder / "out.log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._server / "bin" / "opensearch"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._as_user(),
            )
        self._wait()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it: SIGKILL is as a crash, SIGTERM takes less than a second."""
        if self._process is not None:
            self._process.send_signal(how)  # the start script becomes the JVM: the pid is the server's own
            self._process.wait(timeout=30)
            self._process = None

    def pause(self) -> None:
        """Let it hang: it takes connections and answers none."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _configure(self) -> None:
        config = self.folder / "config"
        for folder in (config, config / "jvm.options.d", *(self.folder / name for name in ("data", "logs", "tmp"))):
            folder.mkdir(parents=True, exist_ok=True)
        settings = _SETTINGS.format(port=self.port, transport=free_port(), folder=self.folder)
        (config / "opensearch.yml").write_text(settings)
        (config / "jvm.options").write_text(_JVM.format(folder=self.folder))
        shutil.copy(self._server / "config" / "log4j2.properties", config)
        if self._user:
            for path in (self.folder, *self.folder.rglob("*")):
                if not path.is_relative_to(self.folder / "server"):
                    os.chown(path, self._user.pw_uid, self._user.pw_gid)
            self.folder.chmod(0o755)

    def _wait(self) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                health = httpx.get(f"{self.url}/_cluster/health", params={"wait_for_status": "yellow", "timeout": "1s"})
                if health.status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        log = (self.folder / "out.log").read_text()[-2_000:]
        self.stop(signal.SIGKILL)
        raise CannotBeHadError(f"it does not start: {log}")

    def _as_user(self) -> dict[str, Any]:
        where: dict[str, Any] = {"cwd": self.folder}
        if self._user is None:
            return where
        return where | {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}


def _server_user() -> pwd.struct_passwd | None:
    """Return the user to run as; None for the one who asks: only root is refused."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("opensearch")
    except KeyError:
        return pwd.getpwnam("nobody")


def _reachable(path: Path, user: pwd.struct_passwd) -> bool:
    """Return whether that user may read what lies there."""
    check = ["test", "-r", str(path / "bin" / "opensearch")]
    who: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}
    return subprocess.run(check, **who).returncode == 0
