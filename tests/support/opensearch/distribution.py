"""OpenSearch 2.19.1 with k-NN and hybrid search, put together from Maven Central's files (its bundles are not there).

The files, each with its sha256, stand in `artifacts.txt`. What is made is kept in the user's cache and used again.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

VERSION = "2.19.1"

_ARTIFACTS = Path(__file__).with_name("artifacts.txt")
_PLUGINS = {"opensearch-knn": "opensearch-knn", "neural-search": "opensearch-neural-search"}
_ITEM = (
    "<artifactItem><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version><type>{}</type></artifactItem>"
)
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>tests</groupId><artifactId>opensearch</artifactId><version>1</version><packaging>pom</packaging>
<build><plugins><plugin><groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId>
<version>2.8</version><configuration><outputDirectory>{folder}</outputDirectory><artifactItems>{items}</artifactItems>
</configuration></plugin></plugins></build></project>"""


class CannotBeHadError(Exception):
    """This machine can't have an OpenSearch; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class _Module:
    """A module of the server, as its own build would pack it."""

    name: str
    class_name: str
    jars: tuple[str, ...]
    extends: str = ""
    policy: str = ""


_MODULES = (
    _Module(
        "lang-painless",
        "org.opensearch.painless.PainlessPlugin",
        ("lang-painless", "opensearch-scripting-painless-spi", "antlr4-runtime", "asm"),
        policy='permission java.lang.RuntimePermission "createClassLoader";'
        ' permission java.lang.RuntimePermission "getClassLoader";',
    ),
    _Module(
        "analysis-common",
        "org.opensearch.analysis.common.CommonAnalysisPlugin",
        ("analysis-common",),
        extends="lang-painless",
    ),
    _Module("mapper-extras", "org.opensearch.index.mapper.MapperExtrasPlugin", ("mapper-extras-client",)),
    _Module(
        "reindex",
        "org.opensearch.index.reindex.ReindexPlugin",
        (
            "reindex-client",
            "opensearch-rest-client",
            "opensearch-ssl-config",
            "http",
            "commons-codec",
            "commons-logging",
        ),
        policy='permission java.net.SocketPermission "*", "connect";',
    ),
)


def distribution() -> Path:
    """Return the folder of the server, made at its first use.

    Raises:
        CannotBeHadError: its files can't be had, or are not what they should be.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "teller"
    made = cache / f"opensearch-{VERSION}-{hashlib.sha256(_ARTIFACTS.read_bytes()).hexdigest()[:8]}"
    with _alone(cache):
        if not made.is_dir():
            with tempfile.TemporaryDirectory(dir=cache) as scratch:
                _assemble(_fetch(Path(scratch) / "files"), Path(scratch) / "server")
                (Path(scratch) / "server").rename(made)
    return made


def java_home() -> Path:
    """Return a Java that this version runs on: 17 or 21 (later ones have no security manager).

    Raises:
        CannotBeHadError: there is none.
    """
    named = [Path(os.environ[name]) for name in ("OPENSEARCH_JAVA_HOME", "JAVA_HOME") if os.environ.get(name)]
    for home in (*named, *sorted(Path("/usr/lib/jvm").glob("*"))):
        if (home / "bin" / "java").exists() and _java_version(home) in (17, 21):
            return home
    raise CannotBeHadError("no Java 17 (Debian: openjdk-17-jre-headless)")


def _java_version(home: Path) -> int:
    said = subprocess.run([home / "bin" / "java", "-version"], capture_output=True, text=True).stderr
    version = re.search(r'version "(\d+)', said)
    return int(version[1]) if version else 0


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """Keep other runs from making it at the same time."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "opensearch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(folder: Path) -> Path:
    """Fetch all files in one run of Maven, and hold each against its sha256."""
    if shutil.which("mvn") is None:
        raise CannotBeHadError("no Maven (Debian: maven)")
    folder.mkdir()
    rows = [line.split() for line in _ARTIFACTS.read_text().splitlines()]
    pom = folder.with_name("pom.xml")
    pom.write_text(_POM.format(folder=folder, items="".join(_ITEM.format(*item.split(":")) for _, item in rows)))
    command = ["mvn", "-B", "-q", "-f", str(pom), "dependency:copy"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines() or ["nothing said"]
        raise CannotBeHadError(f"Maven can't fetch it: {lines[0]}")
    for expected, item in rows:
        _, artifact, version, kind = item.split(":")
        file = folder / f"{artifact}-{version}.{kind}"
        if hashlib.sha256(file.read_bytes()).hexdigest() != expected:
            raise CannotBeHadError(f"{file.name} is not the file it should be (sha256)")
    return folder


def _assemble(files: Path, server: Path) -> None:
    """Unpack the server, and put in its plugins and modules; nothing in it is written to when it runs."""
    unpacked = server.with_name("unpacked")
    _unzip(files / f"opensearch-{VERSION}.zip", unpacked)
    (unpacked / f"opensearch-{VERSION}").rename(server)
    for artifact, plugin in _PLUGINS.items():
        _unzip(files / f"{artifact}-{VERSION}.0.zip", server / "plugins" / plugin)
    for module in _MODULES:
        folder = server / "modules" / module.name
        folder.mkdir()
        for jar in files.glob("*.jar"):
            if jar.name.startswith(module.jars):
                shutil.copy(jar, folder)
        (folder / "plugin-descriptor.properties").write_text(_descriptor(module))
        if module.policy:
            (folder / "plugin-security.policy").write_text(f"grant {{ {module.policy} }};\n")
    for program in (server / "bin").iterdir():
        program.chmod(0o755)
    for path in (server, *server.rglob("*")):
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))


def _descriptor(module: _Module) -> str:
    fields = {
        "name": module.name,
        "description": module.name,
        "version": VERSION,
        "opensearch.version": VERSION,
        "java.version": "11",
        "classname": module.class_name,
        "custom.foldername": "",
        "extended.plugins": module.extends,
        "has.native.controller": "false",
    }
    return "".join(f"{name}={value}\n" for name, value in fields.items())


def _unzip(archive: Path, folder: Path) -> None:
    with ZipFile(archive) as opened:
        opened.extractall(folder)
