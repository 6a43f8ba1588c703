"""Checkpoints of streams: folded states, kept as a cache that may be lost or damaged without harm."""

import struct
from zlib import crc32

from relambda.store.records import Checkpoint
from relambda.store.tables import Tables, Transaction

_CRC = struct.Struct(">I")
_HEAD = struct.Struct(">QH")


def write(transaction: Transaction, tables: Tables, stream: bytes, checkpoint: Checkpoint) -> None:
    """Keep a checkpoint in the place of the stream's former one."""
    transaction.put(stream, encode(checkpoint), db=tables.checkpoints)


def read(transaction: Transaction, tables: Tables, stream: bytes, tag: str) -> Checkpoint | None:
    """The stream's checkpoint if it was saved under `tag` and is whole."""
    held = transaction.get(stream, db=tables.checkpoints)
    found = None if held is None else decode(held)
    return found if found is not None and found.tag == tag else None


def encode(checkpoint: Checkpoint) -> bytes:
    """crc32 of the rest, version, length of the tag, tag, state."""
    tag = checkpoint.tag.encode()
    rest = _HEAD.pack(checkpoint.version, len(tag)) + tag + checkpoint.state
    return _CRC.pack(crc32(rest)) + rest


def decode(data: bytes) -> Checkpoint | None:
    """The inverse of `encode`; None when damaged, for then the stream is folded from its events."""
    rest = data[_CRC.size :]
    if len(rest) < _HEAD.size or _CRC.pack(crc32(rest)) != data[: _CRC.size]:
        return None
    version, length = _HEAD.unpack_from(rest)
    start = _HEAD.size + length
    return Checkpoint(version, rest[_HEAD.size : start].decode(), rest[start:])
