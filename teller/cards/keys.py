"""Secrets that nobody set: made once in the data folder, so that a first start needs no configuration."""

import os
import secrets
from pathlib import Path

from teller.errors import ConfigurationError

_SIZE = 32


def read_or_make(folder: Path, name: str) -> bytes:
    """Return the secret kept in `folder/name` (mode 0600), which is made if there is none.

    Processes that start at once get the same one: it is written whole under another name, and linking it to its own
    succeeds for one of them only.

    Raises:
        ConfigurationError: the file is no secret of ours. It is left alone, for what it signed depends on it.
    """
    path = folder / name
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(path)
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii"))
    except ValueError:
        secret = b""
    if len(secret) != _SIZE:
        raise ConfigurationError(f"{path} is damaged: restore it from a backup, or set its variable in the environment")
    return secret


def _make(path: Path) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(_SIZE))
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return  # another process was first; its secret counts
    finally:
        draft.unlink()
