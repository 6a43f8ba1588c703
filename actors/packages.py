"""Deployment packages: checked as they come, unpacked once per content, for containers to mount."""

import contextlib
import re
import shutil
import tempfile
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from relambda.actors.package_content import link_target, pieces
from relambda.actors.package_directory import Archive, Entry, read_directory
from relambda.actors.package_errors import PackageError
from relambda.actors.package_tree import Tree
from relambda.actors.package_unpacking import opened, unpack_into

__all__ = ["PackageError", "PackageInfo", "Packages", "inspect_zip"]

_SHA256: Final = re.compile("[0-9a-f]{64}")
_UNFINISHED: Final = ".unfinished-"


@dataclass(frozen=True, slots=True)
class PackageInfo:
    """What a zip holds: its own size and that of its content in bytes, and how many files and links that is."""

    size: int
    unzipped_size: int
    files: int


def inspect_zip(data: bytes | Path, unzipped_limit: int) -> PackageInfo:
    """Check a zip to the last byte without keeping what it holds. Raises PackageError, in AWS's words; OSError.

    The size that the zip's directory tells is checked first; no entry is read further than that. So a bomb costs
    what it pretends to be, at most the limit.
    """
    if isinstance(data, Path):
        with opened(data) as archive:
            return _inspect(archive, unzipped_limit)
    return _inspect(data, unzipped_limit)


def _inspect(archive: Archive, unzipped_limit: int) -> PackageInfo:
    entries = read_directory(archive)
    unzipped_size = sum(entry.size for entry in entries)
    if unzipped_size >= unzipped_limit:
        reason = f"the zip's content is {unzipped_size} bytes large"
        raise PackageError(f"Unzipped size must be smaller than {unzipped_limit} bytes", reason)
    tree = Tree(entries)
    for path, entry in tree.links.items():
        link_target(archive, path, entry)
    _check_content(archive, list(tree.files.values()))
    return PackageInfo(len(archive), unzipped_size, len(tree.files) + len(tree.links))


def _check_content(archive: Archive, entries: Sequence[Entry]) -> None:
    for entry in entries:
        for _ in pieces(archive, entry):
            pass


class Packages:
    """Unpacked packages in folders named by their zip's sha256. Any thread may call; one process owns the root.

    Nothing is flushed to disk: a package can always be unpacked again from its zip.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        root.mkdir(parents=True, exist_ok=True)
        for leftover in root.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(leftover)

    def unpack(self, sha256: str, zip_path: Path) -> Path:
        """The folder with the content of the zip of that name; unpacked now if it is not there.

        Calls at the same time for one name share one unpacking. Raises PackageError, OSError, and leaves nothing
        behind then; ValueError for what is no sha256.
        """
        folder = self._folder(sha256)
        if folder.is_dir():
            return folder
        with self._held(sha256):
            if not folder.is_dir():
                self._unpack(folder, zip_path)
        return folder

    def remove(self, sha256: str) -> None:
        """Remove an unpacked package, if it is there. Raises OSError; ValueError for what is no sha256."""
        folder = self._folder(sha256)
        with self._held(sha256):
            doomed = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._root))
            with contextlib.suppress(FileNotFoundError):
                folder.rename(doomed)
        shutil.rmtree(doomed)

    def _unpack(self, folder: Path, zip_path: Path) -> None:
        unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._root))
        try:
            unpack_into(unfinished, zip_path)
            unfinished.rename(folder)
        except BaseException:
            shutil.rmtree(unfinished)
            raise

    def _held(self, sha256: str) -> threading.Lock:
        with self._lock:
            return self._locks[sha256]

    def _folder(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256[:80]!r} is no sha256: 64 lower-case hexadecimal digits are")
        return self._root / sha256
