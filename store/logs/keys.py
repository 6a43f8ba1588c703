"""Keys and values of the log tables; numbers are big-endian, so that LMDB's order is theirs.

groups     `account/region/name`                          -> msgpack
streams    group (u64), name                              -> msgpack
events     group (u64), time (u64), sequence (u64)        -> stream (u64), ingested (u64), message (UTF-8)
by_stream  stream (u64), time (u64), sequence (u64)       -> nothing
sizes      group (u64)                                    -> bytes (u64)
meta       `id`, `sequence`                               -> the last one given (u64)
"""

import hashlib
import struct

from relambda.store.logs.records import GroupName, LogEvent, Place

PLACE = struct.Struct(">QQQ")
HEAD = struct.Struct(">QQ")
NUMBER = struct.Struct(">Q")
LAST = (1 << 64) - 1
_LONGEST = 440
"""Bytes of a name that stand in a key as they are; LMDB's keys have 511 at most, the service's names are longer."""


def _name(name: str) -> bytes:
    """A name of any length: its beginning, and what tells it from others that begin so."""
    encoded = name.encode()
    if len(encoded) <= _LONGEST:
        return encoded
    return encoded[:_LONGEST] + hashlib.sha256(encoded).digest()


def scope_prefix(account: str, region: str) -> bytes:
    """How keys of the groups of an account and region begin."""
    return f"{account}/{region}/".encode()


def group_key(group: GroupName) -> bytes:
    """The key of a group."""
    return scope_prefix(group.account, group.region) + _name(group.name)


def groups_beginning(account: str, region: str, prefix: str) -> bytes:
    """How keys begin of groups whose names begin with `prefix`; others may begin so too when it is long."""
    return scope_prefix(account, region) + prefix.encode()[:_LONGEST]


def stream_key(group_id: int, name: str) -> bytes:
    """The key of a stream."""
    return NUMBER.pack(group_id) + _name(name)


def streams_beginning(group_id: int, prefix: str) -> bytes:
    """How keys begin of streams whose names begin with `prefix`; others may begin so too when it is long."""
    return NUMBER.pack(group_id) + prefix.encode()[:_LONGEST]


def place_key(owner: int, place: Place) -> bytes:
    """The key of an event, among those of a group or of a stream."""
    return PLACE.pack(owner, place.at_ms, place.sequence)


def place_of(key: bytes) -> Place:
    """The place that an event's key tells."""
    _, at_ms, sequence = PLACE.unpack(key)
    return Place(at_ms, sequence)


def event_of(key: bytes, value: bytes) -> LogEvent:
    """The event that a row of `events` holds."""
    stream_id, ingested_ms = HEAD.unpack_from(value)
    return LogEvent(place_of(key), stream_id, ingested_ms, value[HEAD.size :].decode())
