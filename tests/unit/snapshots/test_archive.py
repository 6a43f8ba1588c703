"""The tar layer: plain files that any tar reads, read back strictly."""

import io
import tarfile
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relambda.snapshots.archive import CHUNK_BYTES, END, ArchiveReader, Member, header, padding, space
from relambda.snapshots.errors import HostilePodError, PodDamagedError


class Trickle:
    """A source that gives one byte at a time, as a slow network may."""

    def __init__(self, data: bytes) -> None:
        self._bytes: Iterator[int] = iter(data)

    def read(self, _size: int, /) -> bytes:
        return bytes([byte]) if (byte := next(self._bytes, None)) is not None else b""


def foreign(name: str, kind: bytes = tarfile.REGTYPE, **members: str | int) -> bytes:
    """A header as another program writes it."""
    info = tarfile.TarInfo(name)
    info.type = kind
    for member, value in members.items():
        setattr(info, member, value)
    return info.tobuf(tarfile.USTAR_FORMAT)


@settings(deadline=None)
@given(st.binary(max_size=2000), st.from_regex(r"\A[a-z0-9/]{1,70}[a-z]\Z"))
def test_any_tar_reads_it(content: bytes, name: str) -> None:
    """Given a member, when the standard library's tar reads it, then name and content are there and no time is."""
    name = "a" + name
    data = header(Member(name, len(content))) + content + padding(len(content)) + END
    assert len(data) == space(len(content)) + len(END)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        (found,) = archive.getmembers()
        opened = archive.extractfile(found)
        assert opened is not None
        assert (found.name, found.mtime, found.uid, found.gid, found.uname) == (name, 0, 0, 0, "")
        assert opened.read() == content


@settings(deadline=None)
@given(st.integers(0, 1 << 62))
def test_a_header_of_any_size_is_read_back(size: int) -> None:
    """Given a size, beyond 8 GiB too, when its header is read, then it is the same member."""
    member = Member("events", size)
    assert ArchiveReader(io.BytesIO(header(member))).member() == member
    assert tarfile.TarInfo.frombuf(header(member), "ascii", "strict").size == size


def test_a_source_may_give_a_byte_at_a_time() -> None:
    """Given a source with short answers, when it is read, then a short answer is not taken for the end."""
    reader = ArchiveReader(Trickle(header(Member("events", 3)) + b"abc" + padding(3) + END))
    member = reader.member()
    assert b"".join(reader.chunks(member.size)) == b"abc"
    reader.finish(member)
    reader.end()


def test_content_comes_in_bounded_pieces() -> None:
    """Given a large member, when its chunks are read, then none is larger than a chunk."""
    pieces = list(ArchiveReader(io.BytesIO(bytes(3 * CHUNK_BYTES + 5))).chunks(3 * CHUNK_BYTES + 5))
    assert [len(piece) for piece in pieces] == [CHUNK_BYTES] * 3 + [5]


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(foreign("/etc/passwd"), id="absolute name"),
        pytest.param(foreign("blobs/../../etc/passwd"), id="path traversal"),
        pytest.param(foreign("blobs\\..\\x"), id="backslashes"),
        pytest.param(foreign("blobs/x", tarfile.SYMTYPE, linkname="/etc/passwd"), id="symbolic link"),
        pytest.param(foreign("blobs/x", tarfile.LNKTYPE, linkname="events"), id="hard link"),
        pytest.param(foreign("blobs/x", tarfile.CHRTYPE, devmajor=1, devminor=5), id="device"),
        pytest.param(foreign("blobs/x", tarfile.BLKTYPE), id="block device"),
        pytest.param(foreign("blobs/x", tarfile.FIFOTYPE), id="pipe"),
        pytest.param(foreign("blobs", tarfile.DIRTYPE), id="directory"),
        pytest.param(foreign("x", tarfile.GNUTYPE_SPARSE), id="sparse file"),
        pytest.param(foreign("x", tarfile.GNUTYPE_LONGNAME, size=1 << 32), id="long name of 4 GiB"),
        pytest.param(foreign("x", tarfile.XHDTYPE, size=1 << 32), id="extended header of 4 GiB"),
        pytest.param(foreign("x", tarfile.XGLTYPE), id="global header"),
        pytest.param(foreign("x", tarfile.AREGTYPE), id="old kind of file"),
        pytest.param(foreign("caf\u00e9"), id="not ASCII"),
    ],
)
def test_what_no_export_writes_is_refused(block: bytes) -> None:
    """Given a member that is no plain file with a plain name, when its header is read, then it is refused at once."""
    with pytest.raises(HostilePodError):
        ArchiveReader(io.BytesIO(block)).member()


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(bytes(512), id="the end"),
        pytest.param(b"PK\x03\x04" + bytes(508), id="a zip"),
        pytest.param(header(Member("events", 3))[:-1], id="cut off"),
        pytest.param(foreign("events", mtime=1), id="a time"),
        pytest.param(foreign("events", mode=0o777), id="a mode"),
        pytest.param(foreign("events", uname="root"), id="an owner"),
        pytest.param(foreign("a/" * 60 + "x"), id="a prefix"),
    ],
)
def test_a_header_must_be_the_one_that_would_have_been_written(block: bytes) -> None:
    """Given a header with other bytes than ours, when it is read, then it is refused as damaged."""
    with pytest.raises(PodDamagedError):
        ArchiveReader(io.BytesIO(block)).member()


def test_a_negative_size_is_refused() -> None:
    """Given a header with a size below zero, when it is read, then it is refused."""
    info = tarfile.TarInfo("events")
    info.size = -512
    with pytest.raises(PodDamagedError):
        ArchiveReader(io.BytesIO(info.tobuf(tarfile.GNU_FORMAT))).member()


@pytest.mark.parametrize("more", [b"\0", bytes(512), b"x" * 700])
def test_nothing_may_follow_the_end(more: bytes) -> None:
    """Given bytes behind the end of an archive, when the end is read, then they are refused."""
    with pytest.raises(HostilePodError):
        ArchiveReader(io.BytesIO(END + more)).end()


def test_progress_ends_at_the_whole() -> None:
    """Given a reader that knows its total, when all is read, then progress has grown to the whole and says so."""
    seen: list[tuple[int, int]] = []
    size = 4 * CHUNK_BYTES
    reader = ArchiveReader(io.BytesIO(bytes(size) + END), lambda done, total: seen.append((done, total)))
    reader.total = size
    for _ in reader.chunks(size):
        pass
    reader.end()
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (size + len(END), size + len(END))
