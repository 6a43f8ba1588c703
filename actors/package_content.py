"""The content of a zip's entries, in pieces, never more of it than the directory tells."""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from relambda.actors.package_directory import STORED, Archive, Entry
from relambda.actors.package_errors import unreadable
from relambda.actors.package_tree import MAX_TARGET_BYTES, safe_target

PIECE_BYTES: Final = 1024 * 1024
_LOCAL: Final = struct.Struct("<4s22xHH")


def pieces(archive: Archive, entry: Entry) -> Iterator[bytes]:
    """An entry's content, checked against its size and CRC-32. Raises PackageError when it is damaged or lies.

    What has been given out by then is at most one byte more than the directory told.
    """
    crc = total = 0
    for piece in _raw_pieces(archive, entry):
        total += len(piece)
        if total > entry.size:
            break
        crc = zlib.crc32(piece, crc)
        yield piece
    if total != entry.size or crc != entry.crc:
        unreadable(f"{entry.name!r} is damaged: its size or its checksum is not what the directory tells")


def link_target(archive: Archive, path: str, entry: Entry) -> str:
    """The checked target of a symbolic link. Raises PackageError."""
    if entry.size > MAX_TARGET_BYTES:
        unreadable(f"the symbolic link {path!r} has a target of {entry.size} bytes")
    return safe_target(path, b"".join(pieces(archive, entry)))


def _raw_pieces(archive: Archive, entry: Entry) -> Iterator[bytes]:
    start = _content_start(archive, entry)
    end = start + entry.compressed
    if entry.method == STORED:
        for position in range(start, end, PIECE_BYTES):
            yield bytes(archive[position : min(end, position + PIECE_BYTES)])
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    limit = min(entry.size + 1, PIECE_BYTES)
    position, waiting = start, b""
    try:
        while not inflater.eof and (waiting or position < end):
            if not waiting:
                waiting = bytes(archive[position : min(end, position + PIECE_BYTES)])
                position += len(waiting)
            yield inflater.decompress(waiting, limit)
            waiting = inflater.unconsumed_tail
    except zlib.error as error:
        unreadable(f"{entry.name!r} is damaged: {error}")
    if not inflater.eof:
        unreadable(f"{entry.name!r} breaks off")


def _content_start(archive: Archive, entry: Entry) -> int:
    offset = entry.offset
    if offset + _LOCAL.size > len(archive):
        unreadable(f"{entry.name!r} is said to be behind the end of the zip")
    signature, name_bytes, extra_bytes = _LOCAL.unpack_from(archive, offset)
    start: int = offset + _LOCAL.size + name_bytes + extra_bytes
    if signature != b"PK\3\4" or start + entry.compressed > len(archive):
        unreadable(f"{entry.name!r} is not where the directory tells")
    return start
