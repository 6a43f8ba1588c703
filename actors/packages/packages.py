"""Deployment packages: checked as they come, unpacked once per content, for containers to mount."""

import contextlib
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from relambda.actors.packages.archive import Entry, PackageError, entries_of
from relambda.actors.packages.holds import Hold, Holds
from relambda.actors.packages.merging import merge_into, mirror
from relambda.actors.packages.tree import Tree, safe_target
from relambda.actors.packages.trees import laid_over
from relambda.actors.packages.unpacking import unpack_into

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
    with entries_of(data) as entries:
        size = len(data) if isinstance(data, bytes) else data.stat().st_size
        return _inspect(entries, size, unzipped_limit)


def _inspect(entries: list[Entry], size: int, unzipped_limit: int) -> PackageInfo:
    unzipped_size = sum(entry.size for entry in entries)
    if unzipped_size >= unzipped_limit:
        reason = f"the zip's content is {unzipped_size} bytes large"
        raise PackageError(f"Unzipped size must be smaller than {unzipped_limit} bytes", reason)
    tree = Tree(entries)
    for path, entry in tree.links.items():
        safe_target(path, entry)
    for entry in tree.files.values():
        for _ in entry.pieces():
            pass
    return PackageInfo(size, unzipped_size, len(tree.files) + len(tree.links))


class Packages:
    """Unpacked packages in folders named by their zip's sha256. Any thread may call; one process owns the root.

    Nothing is flushed to disk: a package can always be unpacked again from its zip.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._holds = Holds()
        self._locks = [threading.Lock() for _ in range(256)]
        root.mkdir(parents=True, exist_ok=True)
        for leftover in root.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()

    def unpack(self, sha256: str, zip_path: Path) -> Path:
        """The folder with the content of the zip of that name; unpacked now if it is not there.

        Calls at the same time for one name share one unpacking. Raises PackageError, OSError, and leaves nothing
        behind then; ValueError for what is no sha256.
        """
        return self._once(self._folder(sha256), lambda folder: unpack_into(folder, zip_path))

    def merged(self, shas: Sequence[str], zips: Callable[[str], Path]) -> Path:
        """The folder with what the zips of these names hold, each laid over those before it; `zips` knows their paths.

        It is made once per list of names, beside the zips' own folders. Raises as `unpack`.
        """
        folder = self._folder(laid_over(shas))
        if folder.is_dir():
            return folder
        sources = [self.unpack(sha256, zips(sha256)) for sha256 in shas]
        return self._once(folder, lambda unfinished: merge_into(unfinished, sources))

    def live(self, parts: Sequence[str], sources: Sequence[Path], changing: Sequence[Path]) -> Path:
        """The folder with what these folders hold now, each laid over those before it; those `changing` are copied.

        It is one folder per list of names (`parts`), brought up to date by each call where containers have it
        mounted. Raises OSError.
        """
        folder = self._folder(laid_over(parts))
        with self._locked(folder.name):
            folder.mkdir(exist_ok=True)
            fresh = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._root))
            try:
                merge_into(fresh, sources, changing)
                mirror(fresh, folder)
            finally:
                shutil.rmtree(fresh)
        return folder

    def scratch(self) -> Path:
        """A new folder, readable by all, that is removed when a cloud starts here again. Raises OSError."""
        folder = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._root))
        folder.chmod(0o755)
        return folder

    def file(self, name: str, content: str) -> Path:
        """A file of that name beside the packages, readable by all. Raises OSError."""
        with tempfile.NamedTemporaryFile("w", dir=self._root, prefix=_UNFINISHED, delete=False) as unfinished:
            unfinished.write(content)
        Path(unfinished.name).chmod(0o644)
        return Path(unfinished.name).rename(self._root / name)

    def _once(self, folder: Path, fill: Callable[[Path], None]) -> Path:
        """The folder, made and filled now if it is not there. `fill` must ask for no other one: locks are shared."""
        if folder.is_dir():
            return folder
        with self._locked(folder.name):
            if not folder.is_dir():
                self._make(folder, fill)
        return folder

    def hold(self, names: Collection[str]) -> Hold:
        """Keep trees of these names (`trees.needed_trees`), there or not, from being removed until it is released."""
        return self._holds.take(names)

    def held(self, name: str) -> bool:
        """Whether somebody holds a tree."""
        return self._holds.held(name)

    def names(self) -> set[str]:
        """Names of the trees that are there. Raises OSError."""
        return {entry.name for entry in self._root.iterdir() if _SHA256.fullmatch(entry.name)}

    def remove(self, name: str) -> bool:
        """Remove a tree, if it is there; False when somebody holds it. Raises OSError; ValueError for no sha256."""
        folder = self._folder(name)
        with self._locked(name):
            doomed = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._root))

            def set_aside() -> None:
                with contextlib.suppress(FileNotFoundError):
                    folder.rename(doomed)

            removed = self._holds.unless_held(name, set_aside)
        shutil.rmtree(doomed)
        return removed

    def _make(self, folder: Path, fill: Callable[[Path], None]) -> None:
        unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._root))
        try:
            fill(unfinished)
            unfinished.rename(folder)
        except BaseException:
            shutil.rmtree(unfinished)
            raise

    def _locked(self, sha256: str) -> threading.Lock:
        return self._locks[int(sha256[:2], 16)]

    def _folder(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256[:80]!r} is no sha256: 64 lower-case hexadecimal digits are")
        return self._root / sha256
