"""DATA_DIR: where the embedded parts keep their files."""

from pathlib import Path

from teller.errors import ConfigurationError


def make_data_dir(folder: Path) -> None:
    """Make the folder, for its owner alone.

    Raises:
        ConfigurationError: it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as failure:
        raise ConfigurationError(f"DATA_DIR: {folder} cannot be made ({failure.strerror}): set another") from failure
