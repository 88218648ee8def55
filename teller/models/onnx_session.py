"""A model's file opened for inference: the pinned one or none, on one thread, and without what loading left behind."""

import ctypes
import hashlib
from pathlib import Path

import onnxruntime

from teller.errors import ConfigurationError


def open_session(file: Path, sha256: str, mend: str) -> onnxruntime.InferenceSession:
    """Return the model of a file, which threads may share; it gives the same on every processor.

    `mend` says how a missing file is had again.

    Raises:
        ConfigurationError: the file is missing or is not the one that is pinned.
    """
    if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
        raise ConfigurationError(f"{file} is missing or damaged: {mend}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Without VNNI a processor adds pairs of int8 products in 16 bits and cuts what is more: it would answer otherwise.
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    _return_freed_memory()
    return session


def _return_freed_memory() -> None:
    """Give back what loading freed: the int8 weights are widened at load and about 60 MB stay with the allocator."""
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        return  # not glibc: there is nothing to give back
