"""Writing a package's tree to disk, so that every user may read it."""

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from relambda.actors.package_content import link_target, pieces
from relambda.actors.package_directory import Archive, Entry, read_directory
from relambda.actors.package_errors import EMPTY, PackageError
from relambda.actors.package_tree import Tree

_FOLDER_MODE: Final = 0o755
_FILE_MODE: Final = 0o644
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """A zip file's bytes, mapped rather than read. Raises PackageError for an empty one, OSError."""
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise PackageError(EMPTY, f"{path} is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as archive:
            yield archive


def unpack_into(folder: Path, zip_path: Path) -> None:
    """Unpack into an empty folder: folders, then files, then links, so that none is written through a link.

    Files have at least mode 0644 and folders 0755, executable bits and times are the zip's. Raises PackageError,
    OSError; what was written by then stays.
    """
    with opened(zip_path) as archive:
        tree = Tree(read_directory(archive))
        root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fchmod(root, _FOLDER_MODE)
            _write(archive, tree, root)
        finally:
            os.close(root)


def _write(archive: Archive, tree: Tree, root: int) -> None:
    for path in tree.folders:
        os.mkdir(path, _FOLDER_MODE, dir_fd=root)
    for path, entry in tree.files.items():
        _write_file(archive, path, entry, root)
    for path, entry in tree.links.items():
        os.symlink(link_target(archive, path, entry), path, dir_fd=root)
        os.utime(path, (entry.modified, entry.modified), dir_fd=root, follow_symlinks=False)
    for path, own in reversed(tree.folders.items()):
        own_mode = own.mode & 0o777 if own else 0
        os.chmod(path, _FOLDER_MODE | own_mode, dir_fd=root)
        if own is not None:
            os.utime(path, (own.modified, own.modified), dir_fd=root)


def _write_file(archive: Archive, path: str, entry: Entry, root: int) -> None:
    file = os.open(path, _CREATE, 0o600, dir_fd=root)
    try:
        for piece in pieces(archive, entry):
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(file, rest) :]
        os.fchmod(file, _FILE_MODE | entry.mode & 0o777)
        os.utime(file, (entry.modified, entry.modified))
    finally:
        os.close(file)
