"""A zip's entries, read by the standard library's `zipfile`; hostile ones are refused before they cost anything."""

import calendar
import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, NoReturn

UNREADABLE: Final = "Could not unzip uploaded file. Please check your file, then try to upload again."
EMPTY: Final = "Uploaded file must be a non-empty zip"
MAX_ENTRIES: Final = 100_000
MAX_DIRECTORY_BYTES: Final = 16 * 1024 * 1024
PIECE_BYTES: Final = 1024 * 1024
_ENCRYPTED: Final = 0x0001 | 0x0020 | 0x0040 | 0x2000
_UNIX: Final = 3
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OverflowError)
"""What `zipfile` raises for a zip that is damaged or lies; an unknown version or compression is a RuntimeError."""


class PackageError(Exception):
    """A package is refused: the text is AWS's, `code` its error code, `reason` what was found and where in the zip."""

    def __init__(self, message: str, reason: str, code: str = "InvalidParameterValueException") -> None:
        super().__init__(message)
        self.reason, self.code = reason, code


def unreadable(reason: str) -> NoReturn:
    """Refuse a file that is no zip, or none that may be unpacked. Raises PackageError."""
    raise PackageError(UNREADABLE, reason)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as the zip's directory tells it. `name` has forward slashes."""

    archive: zipfile.ZipFile
    info: zipfile.ZipInfo
    name: str
    mode: int
    """Kind and permission bits as Unix knows them; 0 when the zip was not made on Unix."""

    @property
    def size(self) -> int:
        """Bytes of its content, as the directory tells."""
        return self.info.file_size

    @property
    def is_folder(self) -> bool:
        """Whether it stands for a folder."""
        return self.name.endswith("/") or stat.S_ISDIR(self.mode)

    @property
    def modified(self) -> int:
        """Seconds since the epoch: a Unix time if the zip has one, else its own local time, taken for UTC."""
        extra = self.info.extra
        while len(extra) >= 4:
            kind, length = struct.unpack_from("<2H", extra)
            if kind == 0x5455 and length >= 5 and extra[4] & 1:
                return int.from_bytes(extra[5:9], "little", signed=True)
            extra = extra[4 + length :]
        year, month, day, *clock = self.info.date_time
        return calendar.timegm((year, max(1, min(12, month)), max(1, day), *clock))

    def pieces(self) -> Iterator[bytes]:
        """Its content, checked against its size and CRC-32; never more of it than the directory tells.

        Raises PackageError when it is damaged or lies.
        """
        total = 0
        try:
            with self.archive.open(self.info) as content:
                while piece := content.read(PIECE_BYTES):
                    total += len(piece)
                    yield piece
        except _DAMAGE as error:
            unreadable(f"{self.name!r} is damaged: {error}")
        if total != self.size:
            unreadable(f"{self.name!r} is damaged: it has {total} bytes, and {self.size} in the zip's directory")


class _Bounded:
    """A file that `zipfile` may read no more from at a time than a zip's directory may be large."""

    def __init__(self, file: BinaryIO) -> None:
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self._read = file.read

    def read(self, size: int = -1) -> bytes:
        data = self._read(size if 0 <= size <= MAX_DIRECTORY_BYTES else MAX_DIRECTORY_BYTES + 1)
        if len(data) > MAX_DIRECTORY_BYTES:
            unreadable(f"the zip's directory is larger than {MAX_DIRECTORY_BYTES} bytes: it has too many entries")
        return data


@contextmanager
def entries_of(data: bytes | Path) -> Iterator[list[Entry]]:
    """All entries of a zip, for as long as it is open. Raises PackageError, OSError."""
    with io.BytesIO(data) if isinstance(data, bytes) else data.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        if not size:
            raise PackageError(EMPTY, "the file is empty")
        with _open(file) as archive:
            yield _entries(archive, size)


def _open(file: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(_Bounded(file))
    except _DAMAGE as error:
        unreadable(f"the zip's directory cannot be read: {error}")


def _entries(archive: zipfile.ZipFile, size: int) -> list[Entry]:
    infos = archive.infolist()
    if not infos:
        raise PackageError(EMPTY, "the zip has no entries")
    if len(infos) > MAX_ENTRIES:
        unreadable(f"the zip has {len(infos)} entries, more than {MAX_ENTRIES}")
    if sum(info.compress_size for info in infos) > size:
        unreadable("the zip's entries overlap: together they are larger than the zip")
    return [_entry(archive, info, size) for info in infos]


def _entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, size: int) -> Entry:
    """Zips made on Windows have backslashes between folders; a NUL cuts off what `zipfile` takes for the name."""
    name = info.orig_filename.replace("\\", "/")
    if info.flag_bits & _ENCRYPTED or info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        unreadable(f"{name!r} is encrypted, or compressed in another way than deflate")
    if not 0 <= info.header_offset <= size - info.compress_size:
        unreadable(f"{name!r} is said to be outside of the zip")
    return Entry(archive, info, name, info.external_attr >> 16 if info.create_system == _UNIX else 0)
