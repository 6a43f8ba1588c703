"""The tar layer of a pod: plain ustar files with nothing in their headers but name and size, so the bytes are fixed.

The headers are packed here and not by `tarfile`, whose bytes differ between Python releases. Reading is strict: a
header must be, byte for byte, the one that would have been written for its name and size. tarfile's own reader would
follow links, sparse maps and extended headers of any length.
"""

import struct
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from relambda.snapshots.errors import HostilePodError, PodDamagedError

BLOCK = 512
END = bytes(2 * BLOCK)
CHUNK_BYTES = 256 * 1024

_HEADER = struct.Struct("100s8s8s8s12s12s8s1s100s8s32s32s8s8s155s12x")
_OCTAL_LIMIT = 8**11
_LARGE = 1 << 95
_USTAR = b"ustar\x0000"
_AGAIN = "transfer or export it again"
_KINDS = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.CHRTYPE: "a character device",
    tarfile.BLKTYPE: "a block device",
    tarfile.DIRTYPE: "a directory",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}


class Readable(Protocol):
    """Where bytes come from; an answer of b"" is the end, and a short answer is not."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes."""
        ...


class Progress(Protocol):
    """Gets the bytes that are done and the bytes there are in all."""

    def __call__(self, done: int, total: int, /) -> None:
        """Take notice; quickly, for the transfer waits."""
        ...


def unwatched(_done: int, _total: int, /) -> None:
    """The progress nobody looks at."""


@dataclass(frozen=True, slots=True)
class Member:
    """A plain file in the archive: its name and its size in bytes."""

    name: str
    size: int


def header(member: Member) -> bytes:
    """The block before a member's content; sizes of 8 GiB and more as GNU tar and libarchive write them."""
    fields = [member.name.encode("ascii"), b"0000644\0", b"0000000\0", b"0000000\0", _size(member.size), b"0" * 11]
    tail = [b"0", b"", _USTAR, b"", b"", b"", b"", b""]
    unsigned = _HEADER.pack(*fields, b" " * 8, *tail)
    return _HEADER.pack(*fields, b"%06o\0 " % sum(unsigned), *tail)


def padding(size: int) -> bytes:
    """The zeros that fill a member's last block."""
    return bytes(-size % BLOCK)


def space(size: int) -> int:
    """How many bytes a member of `size` takes in the archive, header and padding included."""
    return BLOCK + size + -size % BLOCK


class ArchiveReader:
    """Reads an archive from front to back, once, never more than a chunk ahead; for one thread.

    Raises PodDamagedError where the bytes end too early or are not those of a pod, HostilePodError for members that
    are no plain files. What the source raises comes through.
    """

    def __init__(self, source: Readable, progress: Progress = unwatched) -> None:
        self._source, self._progress = source, progress
        self._buffer = memoryview(b"")
        self._reported = 0
        self.total = 0
        """Bytes of the whole archive, about, as soon as somebody knows; progress is told from then on."""
        self.position = 0
        """Bytes read so far."""

    def member(self) -> Member:
        """The next member's header."""
        where = self.position
        block = self.read(BLOCK)
        if block == bytes(BLOCK):
            raise PodDamagedError(f"the pod ends at byte {where}, where a member is missing; {_AGAIN}")
        try:
            found = tarfile.TarInfo.frombuf(block, "ascii", "backslashreplace")
        except tarfile.HeaderError as error:
            raise PodDamagedError(
                f"there is no header of a pod's member at byte {where} ({error}); {_AGAIN}"
            ) from error
        _check_plain(found)
        member = Member(found.name, found.size)
        if not found.name.isascii() or found.size < 0 or len(found.name) > 99 or header(member) != block:
            raise PodDamagedError(f"the header at byte {where}, of {_shown(found.name)}, was changed; {_AGAIN}")
        return member

    def chunks(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes, in pieces."""
        while size:
            chunk = self.read(min(size, CHUNK_BYTES))
            size -= len(chunk)
            yield chunk

    def read(self, size: int) -> bytes:
        """Exactly the next `size` bytes."""
        read = bytearray()
        while len(read) < size:
            if not self._buffer:
                self._fill(self.position + len(read))
            piece = self._buffer[: size - len(read)]
            read += piece
            self._buffer = self._buffer[len(piece) :]
        self.position += size
        self._report()
        return bytes(read)

    def finish(self, member: Member) -> None:
        """Read the padding behind a member's content."""
        if any(self.read(-member.size % BLOCK)):
            raise PodDamagedError(f"the filling behind {_shown(member.name)} was changed; {_AGAIN}")

    def end(self) -> None:
        """Read the end of the archive, behind which there must be nothing."""
        where = self.position
        if self.read(len(END)) != END:
            raise HostilePodError(
                f"there is more in the pod at byte {where} than its manifest declares; do not trust it"
            )
        if self._buffer or self._source.read(1):
            raise HostilePodError(f"there are bytes behind the pod's end at byte {self.position}; do not trust it")
        self.total = self.position
        self._progress(self.position, self.total)

    def _fill(self, where: int) -> None:
        self._buffer = memoryview(self._source.read(CHUNK_BYTES))
        if not self._buffer:
            raise PodDamagedError(f"the pod is cut off at byte {where}; {_AGAIN}")

    def _report(self) -> None:
        if self.total and self.position - self._reported >= CHUNK_BYTES:
            self._reported = self.position
            self._progress(self.position, self.total)


def _size(size: int) -> bytes:
    return b"%011o\0" % size if size < _OCTAL_LIMIT else (_LARGE | size).to_bytes(12, "big")


def _check_plain(found: tarfile.TarInfo) -> None:
    name = found.name
    if found.type in _KINDS:
        raise HostilePodError(
            f"the pod holds {_KINDS[found.type]}, {_shown(name)}; an export never does, do not trust it"
        )
    if name.startswith("/") or ".." in name.split("/") or "\\" in name:
        raise HostilePodError(f"the pod holds a member {_shown(name)} that points elsewhere; do not trust it")
    if found.type != tarfile.REGTYPE:
        raise HostilePodError(f"the pod holds a member of type {found.type!r}; an export never does, do not trust it")


def _shown(name: str) -> str:
    return ascii(name[:80])
