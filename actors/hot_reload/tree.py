"""What a folder holds, by a look at names and stats alone, and which names in it do not count."""

import fnmatch
import os
import re
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

NEAR = 250
"""Entries that a look takes in where all changes are known anyway, those nearest to the top first: 2 ms at most."""
_DEPENDENCIES = frozenset({"node_modules", "site-packages"})
"""Folders of others' code, looked at behind everything else."""


class Ignored:
    """Globs of what does not count: of a name anywhere, or with slashes of the end of a path."""

    def __init__(self, globs: Sequence[str]) -> None:
        self._names = _any_of([glob for glob in globs if "/" not in glob])
        self._ends = _any_of([f"*/{glob}" for glob in globs if "/" in glob])

    def __call__(self, path: str) -> bool:
        """Whether a path below the folder ("a/b") is named by a glob itself."""
        return bool(self._names.match(path.rpartition("/")[2]) or self._ends.match(f"/{path}"))

    def within(self, path: str) -> bool:
        """Whether it, or one of the folders that it is in, is named by a glob."""
        ends = [at for at, letter in enumerate(path) if letter == "/"]
        return any(self(path[:end]) for end in [*ends, len(path)])


@dataclass(frozen=True, slots=True)
class Look:
    """What a folder held: equal looks mean equal content. `newest_ns` is the last change of a file, since the epoch."""

    identity: tuple[int, int]
    signature: int
    newest_ns: int


def identity(folder: Path) -> tuple[int, int]:
    """Device and inode: a folder that was put in the place of another is another one. Raises OSError."""
    status = folder.stat()
    return status.st_dev, status.st_ino


def look(folder: Path, ignored: Ignored, most: int = sys.maxsize) -> Look:
    """Look at a folder, at `most` that many entries of it. Raises OSError when it is not there.

    What vanishes meanwhile is left out. A file's change time is looked at and not its modification time, which copying
    tools set back.
    """
    which = identity(folder)
    files, newest_ns = set[tuple[str, int, int, int]](), 0
    for path, found in _files(folder, ignored, most):
        files.add((path, found.st_ino, found.st_size, found.st_ctime_ns))
        newest_ns = max(newest_ns, found.st_ctime_ns)
    return Look(which, hash(frozenset(files)), newest_ns)


def _files(folder: Path, ignored: Ignored, most: int) -> Iterator[tuple[str, os.stat_result]]:
    """Files and links with their paths below the folder, level by level, dependencies last."""
    waiting, last, left = deque([""]), deque[str](), most
    while waiting or last:
        parent = (waiting or last).popleft()
        for entry in _entries(f"{folder}/{parent}"):
            if left == 0:
                return
            left -= 1
            path = f"{parent}{entry.name}"
            if ignored(path):
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    (last if entry.name in _DEPENDENCIES else waiting).append(f"{path}/")
                    continue
                yield path, entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue


def _entries(folder: str) -> list[os.DirEntry[str]]:
    """In the order of their names, so that the same files are looked at each time."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []


def _any_of(globs: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(fnmatch.translate, globs)) or r"(?!)")
