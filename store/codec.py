"""How an event lies in the log: one record of bytes, the same bytes for the same event on every machine.

Map keys stay in the order they were given: what is told from memory and what is told from the log are the same bytes.

A record is crc32 (u32), position (u64), version (u64), all big-endian, then the body: a msgpack array of stream, type,
type version, at_ms and data. The checksum runs over the body first and the two numbers last, so
that whoever appends pays for the body, and the committer only for sixteen bytes.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import msgpack

from relambda.store.errors import CorruptStoreError
from relambda.store.records import NewEvent, RecordedEvent

MAX_RECORD_BYTES = 32 * 1024 * 1024
"""The largest event the log takes; Lambda's largest payload, 6 MB, fits many times."""
MAX_DEPTH = 100

_CRC = struct.Struct(">I")
_PLACE = struct.Struct(">QQ")
_HEAD = struct.Struct(">IQQ")
_PLAIN = frozenset({type(None), bool, int, float, str, bytes})


@dataclass(frozen=True, slots=True)
class Body:
    """An event's encoded body, which does not depend on where it lands, and its checksum so far."""

    data: bytes
    crc: int


def encode_body(stream: str, event: NewEvent) -> Body:
    """Encode what is known before an event has its place; ValueError when msgpack cannot hold the data."""
    try:
        fields = [stream, event.type, event.type_version, event.at_ms, canonical(event.data)]
        data: bytes = msgpack.packb(fields, use_bin_type=True)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"event {event.type!r} of stream {stream!r} cannot be encoded: {error}") from error
    if len(data) + _HEAD.size > MAX_RECORD_BYTES:
        raise ValueError(
            f"event {event.type!r} of stream {stream!r} has {len(data)} bytes, at most {MAX_RECORD_BYTES} are stored;"
            " put large content into a blob and its sha256 into the event"
        )
    return Body(data, crc32(data))


def seal(body: Body, position: int, version: int) -> bytes:
    """Give a body its place: the finished record."""
    place = _PLACE.pack(position, version)
    return _CRC.pack(crc32(place, body.crc)) + place + body.data


def decode(record: bytes) -> RecordedEvent:
    """Read a record as it was written (no upcasting); CorruptStoreError when it is damaged or no record at all."""
    position, version, body = _open(record)
    try:
        stream, name, type_version, at_ms, data = msgpack.unpackb(body, raw=False, ext_hook=_refuse_extension)
    except (TypeError, ValueError, msgpack.UnpackException) as error:
        raise CorruptStoreError(f"the event at position {position} cannot be decoded: {error}") from error
    _check_shape(position, stream, name, type_version, at_ms, data)
    return RecordedEvent(position, stream, version, name, type_version, at_ms, data)


def place(record: bytes) -> tuple[int, int]:
    """Position and version of a record; CorruptStoreError when it is damaged."""
    return _open(record)[:2]


def encode(event: RecordedEvent) -> bytes:
    """The record of an event that has its place: the inverse of `decode`."""
    new = NewEvent(type=event.type, data=event.data, at_ms=event.at_ms, type_version=event.type_version)
    return seal(encode_body(event.stream, new), event.position, event.version)


def canonical(value: Any, depth: int = 0) -> Any:
    """Copy a payload into msgpack's own types; TypeError or ValueError on what they cannot hold."""
    if type(value) in _PLAIN:
        return value
    if depth >= MAX_DEPTH:
        raise ValueError(f"data is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, Mapping):
        return {_checked_key(key): canonical(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(item, depth + 1) for item in value]
    if isinstance(value, int | float | str | bytes):
        return value
    raise TypeError(f"{type(value).__name__} is none of None, bool, int, float, str, bytes, list and dict")


def _checked_key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"map key {key!r} is not a str")
    return key


def _open(record: bytes) -> tuple[int, int, bytes]:
    if not _HEAD.size < len(record) <= MAX_RECORD_BYTES:
        raise CorruptStoreError(f"a record of {len(record)} bytes cannot be an event")
    crc, position, version = _HEAD.unpack_from(record)
    body = record[_HEAD.size :]
    if crc32(record[_CRC.size : _HEAD.size], crc32(body)) != crc:
        raise CorruptStoreError(f"the event at position {position} does not match its checksum")
    return position, version, body


def _refuse_extension(code: int, _data: bytes) -> Any:
    raise ValueError(f"msgpack extension {code} is never written")


def _check_shape(position: int, stream: Any, name: Any, type_version: Any, at_ms: Any, data: Any) -> None:
    shape = [type(stream), type(name), type(type_version), type(at_ms), type(data)]
    if shape != [str, str, int, int, dict]:
        raise CorruptStoreError(f"the event at position {position} does not have the shape of an event")
