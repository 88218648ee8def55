"""API keys as they stand in the environment: who may call, and how far a key reaches."""

from dataclasses import dataclass
from typing import Literal, get_args

Scope = Literal["chat", "voice", "admin"]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A named key. `voice` is chat whose channel is voice; `admin` reaches everything. The key is not in its repr."""

    name: str
    key: str
    scope: Scope

    def __repr__(self) -> str:
        return f"ApiKey({self.name}, {self.scope})"

    def reaches(self, scope: Scope) -> bool:
        """Return whether this key may do what needs `scope`."""
        return self.scope == "admin" or scope == "chat"


def parse_api_keys(value: object) -> object:
    """Read `name:key[:scope]`, comma-separated.

    Raises:
        ValueError: an entry has no name or key, a key that no header carries, or an unknown scope, or a name or key
            stands twice. The message counts entries and never shows one.
    """
    if not isinstance(value, str):
        return value
    entries = [entry.strip() for entry in value.split(",") if entry.strip()]
    keys = tuple(_parse(entry, place) for place, entry in enumerate(entries, 1))
    if len({key.name for key in keys}) < len(keys) or len({key.key for key in keys}) < len(keys):
        raise ValueError("two entries share a name or a key")
    return keys


def _parse(entry: str, place: int) -> ApiKey:
    match entry.split(":"):
        case [_, key, *_] if not key.isascii():
            raise ValueError(f"entry {place} has a key with a letter beyond ASCII, which HTTP headers do not carry")
        case [name, key] if name and key:
            return ApiKey(name, key, "chat")
        case [name, key, scope] if name and key:
            for known in get_args(Scope):
                if scope == known:
                    return ApiKey(name, key, known)
            raise ValueError(f"entry {place} has an unknown scope; scopes are chat, voice and admin")
        case _:
            raise ValueError(f"entry {place} is not of the form name:key or name:key:scope")
