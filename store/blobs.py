"""Blobs: large contents on disk under the sha256 of their bytes, so one content is there once and never changes."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO

from relambda.store.durable import make_directory, refusal, sync_directory
from relambda.store.errors import BlobNotFoundError, BlobTooLargeError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNFINISHED = "unfinished"


class Blobs:
    """Content-addressed files below one folder; any thread, one process (who holds the state's lock).

    A blob is durable when `put` returns, so an event may name it. Every method that takes a sha256 raises ValueError
    when it is not 64 lower-case hexadecimal digits: no text from outside becomes a path.
    """

    def __init__(self, directory: Path) -> None:
        """Make the folder if need be, and remove what an interrupted `put` left behind."""
        self._directory = directory
        self._unfinished = directory / _UNFINISHED
        make_directory(self._unfinished)
        for leftover in self._unfinished.iterdir():
            leftover.unlink()

    def put(self, data: bytes) -> str:
        """Store content and return its sha256; StoreFullError, with nothing left behind, when there is no room."""
        return self.put_stream([data], len(data))[0]

    def put_stream(self, chunks: Iterable[bytes], limit: int) -> tuple[str, int]:
        """Store content that comes in pieces; return sha256 and size in bytes.

        BlobTooLargeError as soon as there are more than `limit` bytes, StoreFullError when there is no room; nothing
        is left behind then, nor when `chunks` raises.
        """
        with self._no_room_refused():
            descriptor, name = tempfile.mkstemp(dir=self._unfinished)
        beside = Path(name)
        try:
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                sha256, size = self._write(file, chunks, limit)
            with self._no_room_refused():
                self._adopt(beside, sha256)
        finally:
            beside.unlink(missing_ok=True)
        return sha256, size

    def open(self, sha256: str) -> BinaryIO:
        """A blob for reading, which the caller closes; BlobNotFoundError."""
        try:
            return self.path(sha256).open("rb")
        except FileNotFoundError as error:
            raise self._missing(sha256) from error

    def path(self, sha256: str) -> Path:
        """Where a blob is, or would be; whoever reads there must not write."""
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256[:80]!r} is no sha256: 64 lower-case hexadecimal digits are")
        return self._directory / sha256[:2] / sha256

    def exists(self, sha256: str) -> bool:
        """Whether a blob is there, whole."""
        return self.path(sha256).is_file()

    def size(self, sha256: str) -> int:
        """How many bytes a blob has; BlobNotFoundError."""
        try:
            return self.path(sha256).stat().st_size
        except FileNotFoundError as error:
            raise self._missing(sha256) from error

    def all(self) -> Iterator[str]:
        """The sha256 of every blob, in order."""
        for folder in sorted(self._directory.iterdir()):
            if len(folder.name) == 2:
                yield from sorted(entry.name for entry in folder.iterdir() if _SHA256.fullmatch(entry.name))

    def delete(self, sha256: str) -> bool:
        """Remove a blob that no event names any more; whether it was there."""
        path = self.path(sha256)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        sync_directory(path.parent)
        return True

    def _write(self, file: RawIOBase, chunks: Iterable[bytes], limit: int) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise BlobTooLargeError(f"the content has more than the {limit} bytes it may have; nothing was stored")
            digest.update(chunk)
            with self._no_room_refused():
                _write_whole(file, chunk)
        with self._no_room_refused():
            os.fsync(file.fileno())
        return digest.hexdigest(), size

    @contextmanager
    def _no_room_refused(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise refusal(error, f"writing a blob in {self._directory}") from error

    def _adopt(self, beside: Path, sha256: str) -> None:
        path = self.path(sha256)
        if not path.is_file():
            make_directory(path.parent)
            beside.replace(path)
            sync_directory(path.parent)

    def _missing(self, sha256: str) -> BlobNotFoundError:
        return BlobNotFoundError(f"blob {sha256} is not in {self._directory}; restore it from a pod that holds it")


def _write_whole(file: RawIOBase, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) or 0 :]
