"""The central directory of a zip, read with distrust and without an object more than its entries.

The format is that of PKWARE's APPNOTE 6.3: the end record, its 64-bit variant, one header per entry.
"""

import calendar
import mmap
import stat
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from relambda.actors.package_errors import EMPTY, PackageError, unreadable

Archive: TypeAlias = bytes | mmap.mmap

MAX_ENTRIES: Final = 200_000
STORED: Final = 0
DEFLATED: Final = 8
_END: Final = struct.Struct("<4s4H2LH")
_END_64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_BYTES: Final = 20
_HEADER: Final = struct.Struct("<4s6H3L5H2L")
_ENCRYPTED: Final = 0x0001 | 0x0040 | 0x2000
_UTF8: Final = 0x0800
_UNIX: Final = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as the directory tells it. `name` is as in the zip, with forward slashes."""

    name: str
    method: int
    crc: int
    compressed: int
    size: int
    offset: int
    """Of its local header, from the archive's beginning."""
    mode: int
    """Kind and permission bits as Unix knows them; 0 when the zip was not made on Unix."""
    modified: int
    """Seconds since the epoch; a zip's own local time is taken for UTC."""

    @property
    def is_folder(self) -> bool:
        """Whether it stands for a folder."""
        return self.name.endswith("/")

    @property
    def is_link(self) -> bool:
        """Whether its content is the target of a symbolic link."""
        return stat.S_ISLNK(self.mode)


def read_directory(archive: Archive) -> list[Entry]:
    """All entries. Raises PackageError."""
    start, end, count, shift = _locate(archive)
    if count > MAX_ENTRIES or end - start > len(archive):
        unreadable(f"the zip has {count} entries, more than {MAX_ENTRIES}")
    entries: list[Entry] = []
    position = start
    while position < end:
        if len(entries) >= MAX_ENTRIES:
            unreadable(f"the zip has more than {MAX_ENTRIES} entries")
        entry, position = _entry(archive, position, end, shift)
        entries.append(entry)
    if len(entries) % 65536 != count % 65536:
        unreadable(f"the zip's end record tells of {count} entries, its directory has {len(entries)}")
    if sum(entry.compressed for entry in entries) > len(archive):
        unreadable("the zip's entries overlap: together they are larger than the zip")
    if not entries:
        raise PackageError(EMPTY, "the zip has no entries")
    return entries


def _locate(archive: Archive) -> tuple[int, int, int, int]:
    """Where the directory begins and ends, how many entries it has, and what its offsets are short of."""
    if not len(archive):
        raise PackageError(EMPTY, "the file is empty")
    end = archive.rfind(b"PK\5\6", max(0, len(archive) - 65535 - _END.size))
    if end < 0 or end + _END.size > len(archive):
        unreadable("the file has no zip end record")
    _, disk, first_disk, _, count, size, offset, _ = _END.unpack_from(archive, end)
    if 0xFFFF in {disk, count} or 0xFFFFFFFF in {size, offset}:
        end, disk, first_disk, count, size, offset = _locate_64(archive, end, (disk, first_disk, count, size, offset))
    shift = end - size - offset
    if disk or first_disk or shift < 0:
        unreadable("the zip's end record contradicts its length, or the zip has several parts")
    return end - size, end, count, shift


def _locate_64(
    archive: Archive, end: int, plain: tuple[int, int, int, int, int]
) -> tuple[int, int, int, int, int, int]:
    """The same from the 64-bit end record, which stands right before its locator; without one, what was there."""
    start = end - _LOCATOR_BYTES - _END_64.size
    if start < 0 or archive[end - _LOCATOR_BYTES : end - _LOCATOR_BYTES + 4] != b"PK\6\7":
        return end, *plain
    signature, _, _, _, disk, first_disk, _, count, size, offset = _END_64.unpack_from(archive, start)
    if signature != b"PK\6\6":
        unreadable("the zip's 64-bit end record is not where it must be")
    return start, disk, first_disk, count, size, offset


def _entry(archive: Archive, position: int, end: int, shift: int) -> tuple[Entry, int]:
    if position + _HEADER.size > end:
        unreadable("the zip's directory breaks off")
    signature, made, _, flags, method, time, date, crc, compressed, size, *lengths = _HEADER.unpack_from(
        archive, position
    )
    name_bytes, extra_bytes, comment_bytes, _, _, attributes, offset = lengths
    name_at = position + _HEADER.size
    extra_at = name_at + name_bytes
    after = extra_at + extra_bytes + comment_bytes
    if signature != b"PK\1\2" or after > end:
        unreadable("the zip's directory is damaged")
    name = _name(bytes(archive[name_at:extra_at]), flags)
    modified = _dos_time(date, time)
    if extra_bytes:
        extra = _extra(bytes(archive[extra_at : extra_at + extra_bytes]))
        size, compressed, offset = _wide(extra.get(1, b""), size, compressed, offset)
        modified = _unix_time(extra.get(0x5455, b""), modified)
    if flags & _ENCRYPTED or method not in {STORED, DEFLATED}:
        unreadable(f"{name!r} is encrypted, or compressed in another way than deflate")
    mode = attributes >> 16 if made >> 8 == _UNIX else 0
    return Entry(name, method, crc, compressed, size, offset + shift, mode, modified), after


def _name(raw: bytes, flags: int) -> str:
    """Zips made on Windows have backslashes between folders."""
    try:
        return raw.decode("utf-8" if flags & _UTF8 else "cp437").replace("\\", "/")
    except UnicodeDecodeError:
        unreadable(f"the name {raw[:80]!r} is no UTF-8, which it says it is")


def _extra(raw: bytes) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    while len(raw) >= 4:
        kind, length = struct.unpack_from("<2H", raw)
        fields[kind], raw = raw[4 : 4 + length], raw[4 + length :]
    return fields


def _wide(field: bytes, *values: int) -> list[int]:
    """Values that do not fit into 32 bits stand in a field of their own, in this order."""
    wide = []
    for value in values:
        if value != 0xFFFFFFFF:
            wide.append(value)
        elif len(field) < 8:
            unreadable("a size in the zip's directory is missing")
        else:
            wide.append(int.from_bytes(field[:8], "little"))
            field = field[8:]
    return wide


def _unix_time(field: bytes, otherwise: int) -> int:
    if len(field) >= 5 and field[0] & 1:
        return int.from_bytes(field[1:5], "little", signed=True)
    return otherwise


@lru_cache(maxsize=4096)
def _dos_time(date: int, time: int) -> int:
    month, day = max(1, min(12, date >> 5 & 15)), max(1, date & 31)
    return calendar.timegm(((date >> 9) + 1980, month, day, time >> 11, time >> 5 & 63, (time & 31) * 2))
