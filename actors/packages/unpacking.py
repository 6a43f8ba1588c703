"""Writing a package's tree to disk, so that every user may read it."""

import os
from pathlib import Path
from typing import Final

from relambda.actors.packages.archive import Entry, entries_of
from relambda.actors.packages.tree import Tree, safe_target

_FOLDER_MODE: Final = 0o755
_FILE_MODE: Final = 0o644
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def unpack_into(folder: Path, zip_path: Path) -> None:
    """Unpack into an empty folder: folders, then files, then links, so that none is written through a link.

    Files have at least mode 0644 and folders 0755, executable bits and times are the zip's. Raises PackageError,
    OSError; what was written by then stays.
    """
    with entries_of(zip_path) as entries:
        tree = Tree(entries)
        root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fchmod(root, _FOLDER_MODE)
            _write(tree, root)
        finally:
            os.close(root)


def _write(tree: Tree, root: int) -> None:
    for path in tree.folders:
        os.mkdir(path, _FOLDER_MODE, dir_fd=root)
    for path, entry in tree.files.items():
        _write_file(path, entry, root)
    for path, entry in tree.links.items():
        os.symlink(safe_target(path, entry), path, dir_fd=root)
        os.utime(path, (entry.modified, entry.modified), dir_fd=root, follow_symlinks=False)
    for path, own in reversed(tree.folders.items()):
        own_mode = own.mode & 0o777 if own else 0
        os.chmod(path, _FOLDER_MODE | own_mode, dir_fd=root)
        if own is not None:
            os.utime(path, (own.modified, own.modified), dir_fd=root)


def _write_file(path: str, entry: Entry, root: int) -> None:
    file = os.open(path, _CREATE, 0o600, dir_fd=root)
    try:
        for piece in entry.pieces():
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(file, rest) :]
        os.fchmod(file, _FILE_MODE | entry.mode & 0o777)
        os.utime(file, (entry.modified, entry.modified))
    finally:
        os.close(file)
