"""Keys of the log's tables as bytes whose order is the order of what they name; refuses names LMDB cannot hold."""

import struct

MAX_KEY_BYTES = 511
"""LMDB's own limit on a key."""
MAX_NAME_BYTES = 400
"""Longest name of a stream or an event type, in bytes of UTF-8."""

_NUMBER = struct.Struct(">Q")


def number(value: int) -> bytes:
    """A position or version as eight big-endian bytes, so that byte order is numeric order."""
    return _NUMBER.pack(value)


def value_of(data: bytes) -> int:
    """The inverse of `number`."""
    value: int = _NUMBER.unpack(data)[0]
    return value


def name(text: str, what: str) -> bytes:
    """A stream's or an event type's name; ValueError if empty, too long, with NUL, or not encodable."""
    data = text.encode()
    if not data or len(data) > MAX_NAME_BYTES or b"\0" in data:
        raise ValueError(f"{what} {text[:80]!r} must have 1 to {MAX_NAME_BYTES} bytes of UTF-8 and no NUL")
    return data


def search_key(text: str) -> bytes:
    """A stream's name to look for; one that can never be written becomes a key that is never there."""
    try:
        return name(text, "stream")
    except ValueError:
        return b"\0"


def in_stream(stream: bytes, version: int) -> bytes:
    """The key of one version of a stream in the stream index."""
    return stream + b"\0" + _NUMBER.pack(version)


def past_stream(stream: bytes) -> bytes:
    """A key past every version of a stream in the stream index, and before the next stream's first."""
    return stream + b"\1"


def version_in(stream: bytes, key: bytes) -> int:
    """The version that a key of the stream index names; 0 when it is another stream's."""
    start = stream + b"\0"
    return value_of(key[len(start) :]) if key.startswith(start) else 0


def stream_of(key: bytes) -> bytes:
    """The stream that a key of the stream index belongs to."""
    return key[: -_NUMBER.size - 1]


def table_start(table: str) -> bytes:
    """What the keys of every row of a view begin with."""
    return name(table, "table") + b"\0"


def row(table: str, key: str) -> bytes:
    """The key of one row of a view; ValueError when it is empty, or longer than LMDB takes."""
    data = table_start(table) + key.encode()
    if not key or len(data) > MAX_KEY_BYTES:
        raise ValueError(
            f"row key {key[:80]!r} of table {table!r} has {len(data)} bytes, it must have 1 to {MAX_KEY_BYTES}"
        )
    return data


def event_type(type_name: str, version: int) -> bytes:
    """The key of one version of an event type in the table of types."""
    return name(type_name, "event type") + b"@" + str(version).encode()


def event_type_of(data: bytes) -> tuple[str, int]:
    """The inverse of `event_type`."""
    type_name, _, version = data.decode().rpartition("@")
    return type_name, int(version)
