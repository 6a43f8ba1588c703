"""Files that are whole or absent after any crash: written beside, flushed, renamed, and the folder flushed too."""

import errno
import os
from pathlib import Path

from relambda.store.errors import StoreError, StoreFullError

FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO})
"""What the system says when there is no room; EIO is how LMDB reports a write that was cut short."""


def sync_directory(directory: Path) -> None:
    """Make renames and new names in a folder survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(directory: Path) -> None:
    """Make every file below a folder, and the folders, survive a power cut."""
    for folder, _, files in os.walk(directory):
        for file in files:
            with (Path(folder) / file).open("rb") as opened:
                os.fsync(opened.fileno())
        sync_directory(Path(folder))


def make_directory(directory: Path) -> None:
    """Make a folder and its missing parents, durably; no harm when it is there."""
    if directory.is_dir():
        return
    make_directory(directory.parent)
    directory.mkdir(exist_ok=True)
    sync_directory(directory.parent)


def replace_file(path: Path, data: bytes) -> None:
    """Write a small file in the place of the former one; a crash leaves one of the two, whole."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_directory(path.parent)


def refusal(error: OSError, doing: str) -> StoreError:
    """What the store raises for an error of the system: StoreFullError when room is what lacks."""
    if error.errno in FULL_ERRNOS:
        return StoreFullError(f"no room while {doing}: {error}; free some space and try again")
    return StoreError(f"failed while {doing}: {error}")
