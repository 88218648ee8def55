"""What lies on disk for an ingest: the files at a path, and the name each is known by."""

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from teller.errors import DocumentRejectedError
from teller.knowledge.loading import MAX_FILE_BYTES, safe_filename

_MAX_STEM = 120  # of a name that is marked: whole, it is no longer than a name may be


@dataclass(frozen=True, slots=True)
class Folder:
    """The documents of a folder and of all below it, or one of them when a single file was meant (not `whole`).

    `files` maps names to paths; a name is the file's own, with its folders' before it where two files share one, and
    with a mark of its path where that tells them apart no better.
    `unseen` says of each folder that could not be looked into why: what lies there is unknown, not gone.
    """

    path: Path
    files: dict[str, Path]
    whole: bool
    unseen: dict[str, str]

    @classmethod
    def at(cls, path: Path) -> Self:
        """Look up what is at a path; what is hidden is passed over.

        Raises:
            DocumentRejectedError: there is no file.
        """
        path = path.resolve()
        whole = path.is_dir()
        folder = path if whole else path.parent
        failures: list[OSError] = []
        found = sorted(_below(path, failures.append)) if whole else [path]
        places = [file.relative_to(folder) for file in found if _is_file(file) and not file.name.startswith(".")]
        if not places and not failures:
            raise DocumentRejectedError(f"There is no file at {path}: nothing was changed.")
        unseen = {f"{Path(failure.filename).relative_to(folder)}/": _unseen(failure) for failure in failures}
        return cls(folder, {name: folder / place for name, place in _named(places)}, whole, unseen)

    def source(self, collection: str | None) -> str:
        """Return a mark for "this folder, filed so", by which a later ingest knows what came from there."""
        return hashlib.sha256(f"{self.path}\n{collection or ''}".encode()).hexdigest()[:12]


def _below(folder: Path, on_failure: Callable[[OSError], None]) -> Iterator[Path]:
    """Yield what is no folder, here and below; Path.rglob passes in silence over a folder that it may not read."""
    for path, folders, files in os.walk(folder, onerror=on_failure):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(path, name) for name in files)


def _is_file(path: Path) -> bool:
    """Return whether a file is there; one that cannot be looked at is, and is refused when it is read."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError as error:
        return not isinstance(error, FileNotFoundError | NotADirectoryError)


def _named(places: list[Path]) -> Iterator[tuple[str, Path]]:
    """Yield each file with a name of its own, which `safe_filename` leaves as it is."""
    shared = Counter(place.name for place in places)
    names = [safe_filename(place.name if shared[place.name] == 1 else " - ".join(place.parts)) for place in places]
    alike = Counter(names)
    for name, place in zip(names, places, strict=True):
        yield name if alike[name] == 1 else _marked(name, place), place


def _marked(name: str, place: Path) -> str:
    mark = hashlib.sha256(os.fsencode(place)).hexdigest()[:8]
    return f"{Path(name).stem[:_MAX_STEM]} {mark}{Path(name).suffix}"


def _unseen(failure: OSError) -> str:
    return f"The folder cannot be read ({failure.strerror}): check its permissions. Until then nothing is removed."


def read(file: Path) -> bytes:
    """Return a file's bytes, or so many of them that it is seen to be too large.

    Raises:
        DocumentRejectedError: it cannot be read.
    """
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise DocumentRejectedError(f"The file cannot be read ({error.strerror}): check its permissions.") from error
