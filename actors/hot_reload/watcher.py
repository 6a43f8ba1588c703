"""Which folders are watched, and for whom."""

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from relambda.actors.hot_reload.bell import Bell
from relambda.actors.hot_reload.sharing import MOUNTS, is_shared
from relambda.actors.hot_reload.tree import Ignored, identity
from relambda.actors.hot_reload.watch import Heard, Watch

NOTIFIES = sys.platform == "linux"
"""Whether the system tells of all changes until now."""


class Watcher:
    """One thread for all folders that the system notifies of, one for each other. Any thread may call."""

    def __init__(self, ignored: Ignored, *, polling: bool = False) -> None:
        self._ignored, self._polling = ignored, polling
        self._lock = threading.Lock()
        self._watches: dict[tuple[int, int], Watch] = {}
        self._ending: list[Watch] = []
        self._stopped = False
        self._bell = Bell(self._now)

    def listen(self, folder: Path, heard: Heard) -> "Listener":
        """Watch a folder and tell of changes in it until the answer is closed. Raises OSError when it is not there."""
        key = identity(folder)
        with self._lock:
            watch = self._watches.get(key)
            if watch is None:
                watch = self._watches[key] = self._watch(folder, key[0])
            watch.listeners.append(heard)
        watch.begin()
        if watch.fileno() is not None:
            self._bell.ring()
        return Listener(watch, self._bell.ring, lambda: self._leave(key, heard))

    def folders(self) -> list[Path]:
        """What is watched now."""
        return [watch.folder for watch in self._now()]

    def stop(self) -> None:
        """Watch nothing any more, and wait until the threads have ended."""
        with self._lock:
            self._stopped = True
            watches = [*self._ending, *self._watches.values()]
            self._watches.clear()
        self._bell.stop()
        for watch in watches:
            watch.end()
        for watch in watches:
            watch.join()

    def _watch(self, folder: Path, device: int) -> Watch:
        polling = self._polling or (NOTIFIES and is_shared(device, MOUNTS.read_text(errors="replace")))
        watch = Watch(folder, self._ignored, notified=NOTIFIES and not polling, polling=polling)
        if self._stopped:
            watch.end()
        return watch

    def _now(self) -> list[Watch]:
        with self._lock:
            return list(self._watches.values())

    def _leave(self, key: tuple[int, int], heard: Heard) -> None:
        """The last listener takes the watch along."""
        with self._lock:
            watch = self._watches.get(key)
            if watch is None or heard not in watch.listeners:
                return
            watch.listeners.remove(heard)
            if watch.listeners:
                return
            self._ending = [*(each for each in self._ending if each.alive), self._watches.pop(key)]
        heeded = watch.fileno() is not None
        watch.end()
        if heeded:
            self._bell.ring()


@dataclass(frozen=True, slots=True)
class Listener:
    """Somebody who listens to a folder."""

    _watch: Watch
    _ring: Callable[[], None]
    close: Callable[[], None]
    """Hear nothing more."""

    def changes(self) -> int | None:
        """How many changes there were by now: an equal number means equal content.

        None where nothing knows of all of them: then the folder has to be looked at as a whole.
        """
        changes = self._watch.changes()
        if not self._watch.is_told(changes):
            self._ring()
        return changes
