"""Event-stream framing: a message is a prelude with its CRC, headers, a payload, and a CRC over all of it."""

import json
from binascii import crc32
from collections.abc import Mapping
from struct import pack
from typing import Any

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_STRING = 7
_OVERHEAD = 16  # two lengths and two CRCs, four bytes each


def event(event_type: str, payload: Mapping[str, Any]) -> bytes:
    """Return an event of this type."""
    return _json_message({":event-type": event_type, ":message-type": "event"}, payload)


def exception(exception_type: str, payload: Mapping[str, Any]) -> bytes:
    """Return an exception: the last message of a stream that fails."""
    return _json_message({":exception-type": exception_type, ":message-type": "exception"}, payload)


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return one framed message; all headers are strings, as Bedrock's are."""
    packed = b"".join(_header(name, value) for name, value in headers.items())
    lengths = pack("!II", _OVERHEAD + len(packed) + len(payload), len(packed))
    checked = lengths + pack("!I", crc32(lengths)) + packed + payload
    return checked + pack("!I", crc32(checked))


def _json_message(headers: Mapping[str, str], payload: Mapping[str, Any]) -> bytes:
    return message({**headers, ":content-type": "application/json"}, _encode(payload).encode())


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return pack("!B", len(key)) + key + pack("!BH", _STRING, len(text)) + text
