"""All that changes below a folder, by Linux's inotify.

The kernel queues an event before the system call that made the change returns (inotify(7)), so who reads the queue
knows of every change until now, however many files there are. It tells nothing of files that are written through a
hard link elsewhere, on another machine, or through memory that is mapped, until the file is closed.
"""

import contextlib
import os
from pathlib import Path

from inotify_simple import Event, INotify, flags

from relambda.actors.hot_reload.tree import Ignored

_CHANGES = (
    flags.CREATE
    | flags.DELETE
    | flags.MODIFY
    | flags.CLOSE_WRITE
    | flags.ATTRIB
    | flags.MOVED_FROM
    | flags.MOVED_TO
    | flags.MOVE_SELF
    | flags.DELETE_SELF
)
_MASK = _CHANGES | flags.ONLYDIR | flags.DONT_FOLLOW | flags.EXCL_UNLINK
_APPEARS = flags.CREATE | flags.MOVED_TO
_ROUNDS = 10
"""Reads at most at once, where a tree keeps changing: what is left counts the next time."""


class Notifier:
    """Counts the changes below a folder. One thread at a time may call.

    A folder below is watched as soon as its appearance has been read. That counts as a change itself, and so does all
    that has happened in it by then: whatever comes later finds it watched.
    """

    def __init__(self, folder: Path, ignored: Ignored) -> None:
        """Begin. Raises OSError: ENOSPC beyond the system's limit of watches, EMFILE beyond that of notifiers."""
        self._ignored, self._count = ignored, 0
        self._paths: dict[int, str] = {}
        self._closed = set[str]()
        self._folder = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        try:
            self._inotify = INotify(nonblocking=True)
        except OSError:
            os.close(self._folder)
            raise
        try:
            self._watch("")
        except OSError:
            self.close()
            raise

    def fileno(self) -> int:
        """The descriptor that can be read when something has happened."""
        return int(self._inotify.fileno())

    def changes(self) -> int:
        """How many changes there were by now, whoever made them: an equal number means equal content.

        Raises OSError when what is there now cannot be watched; nothing is known from then on.
        """
        for _ in range(_ROUNDS):
            events = self._inotify.read(timeout=0)
            if not events:
                break
            for event in events:
                self._hear(event)
        return self._count

    def close(self) -> None:
        """Watch nothing any more."""
        self._inotify.close()
        os.close(self._folder)

    def _hear(self, event: Event) -> None:
        if event.mask & flags.Q_OVERFLOW:
            self._begin_anew()
            return
        parent = self._paths.get(event.wd)
        if parent is None:
            return  # the folder is watched no more, and that it went counted
        if event.mask & flags.IGNORED:
            del self._paths[event.wd]
        elif not event.name:
            self._count += not parent or bool(event.mask & flags.UNMOUNT)  # another folder's own is its parent's too
        elif not self._ignored(path := f"{parent}{event.name}"):
            self._count += 1
            if event.mask & flags.ISDIR:
                self._follow(f"{path}/", event.mask)

    def _follow(self, path: str, mask: int) -> None:
        if mask & flags.MOVED_FROM:
            self._leave([watch for watch, its in self._paths.items() if its.startswith(path)])
        elif mask & _APPEARS or any(each.startswith(path) for each in self._closed):
            self._watch(path)

    def _begin_anew(self) -> None:
        """Events were lost: anything may have changed."""
        self._count += 1
        before, self._paths = self._paths, {}
        self._watch("")
        self._leave([watch for watch in before if watch not in self._paths])

    def _leave(self, watches: list[int]) -> None:
        for watch in watches:
            self._paths.pop(watch, None)
            with contextlib.suppress(OSError):  # it ended by itself
                self._inotify.rm_watch(watch)

    def _watch(self, path: str) -> None:
        """Watch a folder ("a/b/") and those below, each before it is looked through: what appears meanwhile is told."""
        waiting = [path]
        while waiting:
            path = waiting.pop()
            # by way of the open folder, which stays the same where its path is given to another
            place = f"/proc/self/fd/{self._folder}/{path}"
            try:
                self._paths[self._inotify.add_watch(place.rstrip("/") if path else place, _MASK)] = path
                with os.scandir(place) as entries:
                    folders = [f"{path}{entry.name}" for entry in entries if entry.is_dir(follow_symlinks=False)]
            except (FileNotFoundError, NotADirectoryError):
                continue  # that it went is told
            except PermissionError:
                self._closed.add(path)
                continue
            self._closed.discard(path)
            waiting += [f"{each}/" for each in folders if not self._ignored(each)]
