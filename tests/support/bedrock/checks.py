"""Checks of single values, in the words of AWS's services."""

import re
from collections.abc import Sequence
from typing import Any

from tests.support.bedrock.faults import BedrockError, bedrock_error, invalid


def typed(value: Any, wanted: type, at: str) -> Any:
    """Return a value that is of the type it must be."""
    if not isinstance(value, wanted):
        raise bedrock_error("SerializationException", f"Unexpected value at {at}: {type(value).__name__}")
    return value


def within(value: Any, at: str, *, lowest: float, highest: float | None = None) -> None:
    """Return if a number is absent or within its bounds."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise bedrock_error("SerializationException", f"Unexpected value at {at}: {type(value).__name__}")
    if not value >= lowest:
        raise constraint(value, at, f"Member must have value greater than or equal to {lowest}")
    if highest is not None and value > highest:
        raise constraint(value, at, f"Member must have value less than or equal to {highest}")


def matches(value: Any, pattern: re.Pattern[str], at: str) -> None:
    """Return if a value is text of a pattern."""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise constraint(value, at, f"Member must satisfy regular expression pattern: {pattern.pattern}")


def kind_of(block: Any, name: str, kinds: set[str]) -> str:
    """Return which of its kinds a block is: it must be exactly one."""
    found = list(typed(block, dict, name))
    if len(found) != 1 or found[0] not in kinds:
        raise invalid(f"The {name} must set one of the following keys: {', '.join(sorted(kinds))}.")
    return str(found[0])


def not_one_of(value: object, at: str, allowed: Sequence[str]) -> BedrockError:
    """Return the error of a value that is none of those allowed."""
    return constraint(value, at, f"Member must satisfy enum value set: [{', '.join(allowed)}]")


def constraint(value: object, at: str, rule: str) -> BedrockError:
    """Return the error of a value that breaks a rule of the service model."""
    return invalid(f"1 validation error detected: Value '{value}' at '{at}' failed to satisfy constraint: {rule}")


def by_the_model(message: str) -> BedrockError:
    """Return the error that the model gives, not the service before it."""
    return invalid(f"The model returned the following errors: {message}")


def extraneous_cache_point(at: str) -> BedrockError:
    """Return the error of a cache point that stands where Nova takes none."""
    return by_the_model(
        f"Malformed input request: #/{at}: extraneous key [cachePoint] is not permitted, please reformat your input "
        "and try again."
    )
