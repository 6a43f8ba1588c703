"""Hearing of changes in folders: by the operating system's notifications, or by polling where there are none."""

import logging
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeAlias

import watchfiles

_log = logging.getLogger(__name__)
Heard: TypeAlias = Callable[[Collection[str]], None]
"""Gets the paths of what changed, on the watch's own thread: it must be short.

It gets none every second without a change, the first time when the watch has begun: who wants to be sure looks then.
"""

STEP_MS = 10
"""A change is told when this long no other one has come: a few files saved together are one change."""
DEBOUNCE_MS = 50
POLL_MS = 300
QUIET_MS = 1000
STOP_SECONDS = 5.0


class Watcher:
    """One thread for each folder that somebody listens to. Any thread may call."""

    def __init__(self, *, polling: bool = False) -> None:
        self._polling = polling
        self._lock = threading.Lock()
        self._watches: dict[tuple[int, int], _Watch] = {}
        self._ending: list[_Watch] = []
        self._stopped = False

    def listen(self, folder: Path, heard: Heard) -> Callable[[], None]:
        """Tell of changes in a folder until the answer is called. Raises OSError when it is not there."""
        status = folder.stat()
        key = (status.st_dev, status.st_ino)
        with self._lock:
            watching = self._watches.get(key)
            if watching is None:
                watching = self._watches[key] = _Watch(folder, polling=self._polling)
                if not self._stopped:
                    watching.thread.start()
            watching.listeners.append(heard)
        return lambda: self._leave(key, heard)

    def folders(self) -> list[Path]:
        """What is watched now."""
        with self._lock:
            return [watching.folder for watching in self._watches.values()]

    def stop(self) -> None:
        """Watch nothing any more, and wait until the threads have ended."""
        with self._lock:
            self._stopped = True
            watches = [*self._ending, *self._watches.values()]
            self._watches.clear()
        for watching in watches:
            watching.ended.set()
        for watching in watches:
            if watching.thread.is_alive():
                watching.thread.join(STOP_SECONDS)

    def _leave(self, key: tuple[int, int], heard: Heard) -> None:
        """The last listener takes the watch along; its thread ends by itself within a step."""
        with self._lock:
            watching = self._watches.get(key)
            if watching is None or heard not in watching.listeners:
                return
            watching.listeners.remove(heard)
            if not watching.listeners:
                watching.ended.set()
                self._ending = [*(each for each in self._ending if each.thread.is_alive()), self._watches.pop(key)]


class _Watch:
    def __init__(self, folder: Path, *, polling: bool) -> None:
        self.folder, self._polling = folder, polling
        self.listeners: list[Heard] = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, name=f"watch-{folder.name}", daemon=True)

    def _run(self) -> None:
        """Watch; when the system refuses, as it does beyond its limit of watches, by polling."""
        for polling in dict.fromkeys((self._polling, True)):
            try:
                self._watch(polling=polling)
            except Exception as error:  # noqa: BLE001 - the library raises what its system calls gave
                _log.warning("watching %s failed%s: %s", self.folder, "" if polling else ", it is polled now", error)
            if self.ended.is_set():
                return

    def _watch(self, *, polling: bool) -> None:
        changes = watchfiles.watch(
            self.folder,
            watch_filter=None,
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            stop_event=self.ended,
            rust_timeout=QUIET_MS,
            yield_on_timeout=True,
            force_polling=polling,
            poll_delay_ms=POLL_MS,
            ignore_permission_denied=True,
        )
        for changed in changes:
            paths = {path for _, path in changed}
            for heard in tuple(self.listeners):
                heard(paths)
