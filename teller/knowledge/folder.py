"""What lies on disk for an ingest: the files at a path, and the name each is known by."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from teller.errors import DocumentRejectedError
from teller.knowledge.loading import MAX_FILE_BYTES, safe_filename


@dataclass(frozen=True, slots=True)
class Folder:
    """The documents of a folder and of all below it, or one of them when a single file was meant (not `whole`).

    `files` maps names to paths; a name is the file's own, with its folders' before it where two files share one.
    """

    path: Path
    files: dict[str, Path]
    whole: bool

    @classmethod
    def at(cls, path: Path) -> Self:
        """Look up what is at a path; what is hidden is passed over.

        Raises:
            DocumentRejectedError: there is no file.
        """
        path = path.resolve()
        whole = path.is_dir()
        folder = path if whole else path.parent
        found = sorted(path.rglob("*")) if whole else [path]
        places = [file.relative_to(folder) for file in found if file.is_file()]
        seen = [place for place in places if not any(part.startswith(".") for part in place.parts)]
        if not seen:
            raise DocumentRejectedError(f"There is no file at {path}: nothing was changed.")
        shared = Counter(place.name for place in seen)
        names = (place.name if shared[place.name] == 1 else " - ".join(place.parts) for place in seen)
        return cls(
            folder, {safe_filename(name): folder / place for name, place in zip(names, seen, strict=True)}, whole
        )

    def source(self, collection: str | None) -> str:
        """Return a mark for "this folder, filed so", by which a later ingest knows what came from there."""
        return hashlib.sha256(f"{self.path}\n{collection or ''}".encode()).hexdigest()[:12]


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
