"""Blobs: whole or absent, once each, and no text from outside becomes a path."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.store.blobs import Blobs
from relambda.store.errors import BlobNotFoundError, BlobTooLargeError

ABSENT = "0" * 64


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Blobs:
    return Blobs(tmp_path_factory.mktemp("blobs"))


def files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


@given(chunks=st.lists(st.binary(max_size=64), max_size=5))
def test_content_comes_back_under_its_sha256(shared: Blobs, chunks: list[bytes]) -> None:
    """However it was cut into pieces, content is stored under the sha256 of the whole."""
    whole = b"".join(chunks)
    sha256, size = shared.put_stream(chunks, 1000)
    assert (sha256, size) == (hashlib.sha256(whole).hexdigest(), len(whole))
    assert shared.put(whole) == sha256
    with shared.open(sha256) as file:
        assert file.read() == whole
    assert (shared.size(sha256), shared.exists(sha256), shared.path(sha256).read_bytes()) == (size, True, whole)


def test_the_same_content_is_there_once(blobs: Blobs, tmp_path: Path) -> None:
    """Storing again changes nothing: one file, which is not even rewritten."""
    sha256 = blobs.put(b"x")
    before = blobs.path(sha256).stat()
    assert blobs.put(b"x") == sha256
    assert blobs.path(sha256).stat().st_ino == before.st_ino
    assert files(tmp_path) == [blobs.path(sha256)]


def test_all_are_listed_in_order(blobs: Blobs) -> None:
    """Every stored blob is listed once, and no other."""
    stored = {blobs.put(b"%d" % number) for number in range(40)}
    assert list(blobs.all()) == sorted(stored)
    assert list(Blobs(blobs.path(ABSENT).parent.parent).all()) == sorted(stored)


def test_a_deleted_blob_is_gone(blobs: Blobs) -> None:
    """Deleting says whether there was anything to delete; what is gone is not found."""
    sha256 = blobs.put(b"x")
    assert blobs.delete(sha256)
    assert not blobs.delete(sha256)
    assert (blobs.exists(sha256), list(blobs.all())) == (False, [])


def test_an_absent_blob_is_told(blobs: Blobs) -> None:
    """Opening or measuring what is not there raises BlobNotFoundError with its name."""
    for use in (blobs.open, blobs.size):
        with pytest.raises(BlobNotFoundError, match=ABSENT):
            use(ABSENT)


@pytest.mark.parametrize("bad", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n", "/" + "0" * 63])
def test_what_is_no_sha256_is_refused(blobs: Blobs, bad: str) -> None:
    """No method makes a path of anything but 64 lower-case hexadecimal digits."""
    uses: list[Callable[[str], object]] = [blobs.open, blobs.path, blobs.exists, blobs.size, blobs.delete]
    for use in uses:
        with pytest.raises(ValueError, match="is no sha256"):
            use(bad)


def test_content_beyond_the_limit_is_refused_early(blobs: Blobs, tmp_path: Path) -> None:
    """An endless source is cut off at the limit, and nothing is left of it."""

    def endless() -> Iterator[bytes]:
        while True:
            yield bytes(1000)

    with pytest.raises(BlobTooLargeError, match="4096 bytes"):
        blobs.put_stream(endless(), 4096)
    assert files(tmp_path) == []
    assert blobs.put_stream([bytes(4096)], 4096)[1] == 4096


def test_a_source_that_breaks_off_leaves_nothing(blobs: Blobs, tmp_path: Path) -> None:
    """The source's own error comes out, and no half of a blob stays."""

    def breaking() -> Iterator[bytes]:
        yield b"x"
        raise ConnectionError("the upload ended early")

    with pytest.raises(ConnectionError):
        blobs.put_stream(breaking(), 4096)
    assert files(tmp_path) == []


def test_leftovers_of_a_crash_are_removed_at_the_start(blobs: Blobs, tmp_path: Path) -> None:
    """What a killed process was writing is removed when the blobs are opened; whole blobs stay."""
    sha256 = blobs.put(b"x")
    (tmp_path / "blobs" / "unfinished" / "tmpabc").write_bytes(b"half")
    again = Blobs(tmp_path / "blobs")
    assert files(tmp_path) == [again.path(sha256)]


def test_many_threads_store_the_same_content(blobs: Blobs, tmp_path: Path) -> None:
    """Racing for one content ends with one blob, and nobody fails."""
    names: list[str] = []
    threads = [threading.Thread(target=lambda: names.append(blobs.put(b"same" * 1000))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(names) == 8
    assert files(tmp_path) == [blobs.path(names[0])]
