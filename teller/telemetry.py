"""Logs: one JSON object a line, or readable lines on a terminal; never what a caller said, nor who the caller is."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_LONG_NUMBER = re.compile(r"\+?\d[\d \-]{5,}\d")


def set_up_logging(level: str) -> None:
    """Set up the process's logs, our own and the libraries', on standard error."""
    readable = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            without_long_numbers,
            structlog.dev.ConsoleRenderer() if readable else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")


def without_long_numbers(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask what looks like a phone or a card number in any text field: a last fence, for what should not be there."""
    kept = ("timestamp", "request_id")
    for name, value in event.items():
        if isinstance(value, str) and name not in kept:
            event[name] = _LONG_NUMBER.sub("[number]", value)
    return event
