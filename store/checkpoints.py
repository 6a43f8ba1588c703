"""Checkpoints of streams: folded states, kept as a cache that may be lost or damaged without harm."""

import struct
from zlib import crc32

from relambda.store.records import Checkpoint
from relambda.store.tables import Tables, Transaction

_HEAD = struct.Struct(">IQH")


def write(transaction: Transaction, tables: Tables, stream: bytes, checkpoint: Checkpoint) -> None:
    """Keep a checkpoint in the place of the stream's former one."""
    transaction.put(stream, encode(checkpoint), db=tables.checkpoints)


def read(transaction: Transaction, tables: Tables, stream: bytes, tag: str) -> Checkpoint | None:
    """The stream's checkpoint if it was saved under `tag` and is whole."""
    held = transaction.get(stream, db=tables.checkpoints)
    found = None if held is None else decode(held)
    return found if found is not None and found.tag == tag else None


def encode(checkpoint: Checkpoint) -> bytes:
    """crc32, version, length of the tag, tag, state."""
    tag = checkpoint.tag.encode()
    rest = tag + checkpoint.state
    return _HEAD.pack(crc32(rest), checkpoint.version, len(tag)) + rest


def decode(data: bytes) -> Checkpoint | None:
    """The inverse of `encode`; None when damaged, for then the stream is folded from its events."""
    if len(data) < _HEAD.size:
        return None
    crc, version, length = _HEAD.unpack_from(data)
    rest = data[_HEAD.size :]
    if crc32(rest) != crc or length > len(rest):
        return None
    return Checkpoint(version, rest[:length].decode(), rest[length:])
