"""One folder that is watched, whatever the system can tell of it."""

import errno
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from relambda.actors.hot_reload.notifier import Notifier
from relambda.actors.hot_reload.poller import Poller
from relambda.actors.hot_reload.tree import Ignored

_log = logging.getLogger(__name__)
Heard: TypeAlias = Callable[[], None]
"""Called on a thread of the watcher's when something may have changed: it must be short."""

_LIMITS = {errno.ENOSPC: "fs.inotify.max_user_watches", errno.EMFILE: "fs.inotify.max_user_instances"}


class Watch:
    """Counts the changes in a folder where the system notifies of them, and has it polled where not. Any thread."""

    def __init__(self, folder: Path, ignored: Ignored, *, notified: bool, polling: bool) -> None:
        self.folder, self.listeners = folder, list[Heard]()
        self._ignored, self._notified, self._polling = ignored, notified, polling
        self._beginning, self._lock = threading.Lock(), threading.Lock()
        self._notifier: Notifier | None = None
        self._poller: Poller | None = None
        self._begun = self._ended = False
        self._told = 0 if notified else None

    def begin(self) -> None:
        """Watch from now on; who comes second waits for who came first. It takes the longer the more folders there are.

        The lock stays free meanwhile, so that other folders' changes are told.
        """
        with self._beginning:
            if not (self._begun or self._ended):
                self._begun = True
                self._begin()

    def changes(self) -> int | None:
        """How many changes there were by now; None where nothing knows of all, and the folder has to be looked at."""
        with self._lock:
            try:
                return self._notifier.changes() if self._notifier else None
            except OSError as error:
                self._lose(error)
                return None

    def fileno(self) -> int | None:
        """The descriptor that can be read when something has happened, if there is one."""
        with self._lock:
            return self._notifier.fileno() if self._notifier else None

    def is_told(self, changes: int | None) -> bool:
        """Whether its listeners have heard of so many changes."""
        return changes == self._told

    def tell(self) -> None:
        """Let the listeners hear of what they have not heard of yet; one thread at a time."""
        changes = self.changes()
        if not self.is_told(changes):
            self._told = changes
            self._heard()

    def end(self) -> None:
        """Watch no more; a thread of its own ends by itself within a step."""
        with self._lock:
            self._ended = True
            self._drop()

    def join(self) -> None:
        """Wait until a thread of its own has ended."""
        if self._poller is not None:
            self._poller.join()

    @property
    def alive(self) -> bool:
        """Whether a thread of its own runs."""
        return self._poller is not None and self._poller.alive

    def _begin(self) -> None:
        try:
            notifier = Notifier(self.folder, self._ignored) if self._notified else None
        except OSError as error:
            with self._lock:
                self._lose(error)
            return
        with self._lock:
            self._notifier = notifier
            if notifier is None:
                self._poll(polling=self._polling)
            if self._ended:
                self._drop()

    def _heard(self) -> None:
        for heard in tuple(self.listeners):
            try:
                heard()
            except Exception:  # noqa: BLE001 - a listener's own defect; the others still have to be told
                _log.exception("hot reload: a change in %s could not be told", self.folder)

    def _drop(self) -> None:
        if self._notifier is not None:
            self._notifier.close()
            self._notifier = None
        if self._poller is not None:
            self._poller.end()

    def _poll(self, *, polling: bool) -> None:
        self._poller = Poller(self.folder, self._ignored, self._heard, polling=polling)

    def _lose(self, error: OSError) -> None:
        """The system does not tell of all any more: go on without it."""
        limit = _LIMITS.get(error.errno or 0)
        _log.warning(
            "hot reload: %s is looked at as a whole before each invoke, and polled, since it cannot be watched: %s",
            self.folder,
            f"the system's limit {limit} is reached; raise it with sysctl" if limit else error,
        )
        self._drop()
        self._poll(polling=True)
        if self._ended:
            self._drop()
