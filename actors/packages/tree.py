"""Where a package's entries go: checked paths, of which none leaves the folder that they are unpacked into."""

import stat
from collections.abc import Iterable
from typing import Final

from relambda.actors.packages.archive import MAX_ENTRIES, Entry, unreadable

MAX_PATH_BYTES: Final = 1024
MAX_NAME_BYTES: Final = 255
MAX_DEPTH: Final = 128
MAX_TARGET_BYTES: Final = 4096


class Tree:
    """The folders, files and links that a package's entries make. Raises PackageError for a hostile one."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.folders: dict[str, Entry | None] = {}
        """Every folder, parents first; those that have no entry of their own too."""
        self.files: dict[str, Entry] = {}
        self.links: dict[str, Entry] = {}
        for entry in entries:
            self._add(entry)
        if clash := self.folders.keys() & (self.files.keys() | self.links.keys()):
            unreadable(f"{min(clash)!r} is both a folder and a file")

    def _add(self, entry: Entry) -> None:
        path = safe_path(entry.name)
        kind = stat.S_IFMT(entry.mode)
        if entry.is_folder:
            self._add_folder(path, entry)
            return
        if kind not in {0, stat.S_IFREG, stat.S_IFLNK}:
            unreadable(f"{path!r} is neither a file nor a folder nor a symbolic link")
        if not path or path in self.files or path in self.links:
            unreadable(f"{entry.name!r} comes twice, or is no name")
        self._add_folder(path.rpartition("/")[0], None)
        (self.links if kind == stat.S_IFLNK else self.files)[path] = entry

    def _add_folder(self, path: str, entry: Entry | None) -> None:
        if not path:
            return
        if path not in self.folders:
            self._add_folder(path.rpartition("/")[0], None)
            if len(self.folders) >= MAX_ENTRIES:
                unreadable(f"the zip has more than {MAX_ENTRIES} folders")
        if entry is not None or path not in self.folders:
            self.folders[path] = entry


def safe_path(name: str) -> str:
    """The path of an entry below the folder it is unpacked into. Raises PackageError for one that leads elsewhere."""
    if name.startswith("/") or name[1:3] == ":/" or "\0" in name:
        unreadable(f"the name {name[:80]!r} is absolute, or holds a NUL")
    if len(name) > MAX_PATH_BYTES:
        unreadable(f"the name {name[:80]!r} is longer than {MAX_PATH_BYTES} bytes")
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if ".." in parts or len(parts) > MAX_DEPTH:
        unreadable(f"the name {name[:80]!r} leads out of its folder, or deeper than {MAX_DEPTH} folders")
    path = "/".join(parts)
    try:
        long = not path.isascii() and len(path.encode()) > MAX_PATH_BYTES
        long = long or any(len(part.encode()) > MAX_NAME_BYTES for part in parts)
    except UnicodeEncodeError:
        unreadable(f"the name {name[:80]!r} is no Unicode text")
    if long:
        unreadable(f"the name {name[:80]!r} is too long for a file system")
    return path


def safe_target(link: str, entry: Entry) -> str:
    """The target of the symbolic link at the path `link`. Raises PackageError when it leads out of the package.

    An absolute one means a path of the container's: it is nothing that the host ever follows. In a relative one `..`
    may only stand at its beginning, and not more often than the link is deep: from a real folder it leads to a real
    folder, while behind a name, which may be a link itself, it may lead anywhere.
    """
    if entry.size > MAX_TARGET_BYTES:
        unreadable(f"the symbolic link {link!r} has a target of {entry.size} bytes")
    try:
        target = b"".join(entry.pieces()).decode()
    except UnicodeDecodeError:
        unreadable(f"the symbolic link {link!r} has a target that is no UTF-8")
    if not target or "\0" in target or not (target.startswith("/") or _stays_inside(target, link.count("/"))):
        unreadable(f"the symbolic link {link!r} leads out of the package, to {target[:80]!r}")
    return target


def _stays_inside(target: str, depth: int) -> bool:
    parts = [part for part in target.split("/") if part not in {"", "."}]
    ups = 0
    while ups < len(parts) and parts[ups] == "..":
        ups += 1
    return ".." not in parts[ups:] and ups <= depth
