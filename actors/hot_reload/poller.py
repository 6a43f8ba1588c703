"""Hearing of changes in a folder where nothing tells of all of them: by looks at it, again and again.

Where the system has a watcher of another kind (macOS), its word says when to look. The library's own polling is not
used: it compares times of modification in whole seconds.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import watchfiles

from relambda.actors.hot_reload.tree import Ignored, Look, look

_log = logging.getLogger(__name__)
STEP_MS = 10
DEBOUNCE_MS = 50
BEGUN_MS = 1000
POLL_SECONDS = 0.3
SHARE = 5
"""Looks at a large folder are further apart: they take a fifth of the thread's time at most."""
STOP_SECONDS = 5.0


class Poller:
    """A thread that tells when a folder holds something else than before, and once when it has begun."""

    def __init__(self, folder: Path, ignored: Ignored, heard: Callable[[], None], *, polling: bool) -> None:
        """`heard` is called on that thread. Unless `polling`, the system's watcher says when to look."""
        self._folder, self._ignored, self._heard, self._polling = folder, ignored, heard, polling
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch-{folder.name}", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread runs still."""
        return self._thread.is_alive()

    def end(self) -> None:
        """Tell nothing more; the thread ends by itself within a look."""
        self._ended.set()

    def join(self) -> None:
        """Wait until the thread has ended, within bounds."""
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        """When the system's watcher refuses, or ends, go on by polling."""
        before: Look | None = None
        for _ in self._moments():
            now = self._look()
            if now != before and not self._ended.is_set():
                self._heard()
            before = now

    def _moments(self) -> Iterator[None]:
        if not self._polling:
            try:
                yield from self._notified()
            except Exception as error:  # noqa: BLE001 - the library raises what its system calls gave
                _log.warning("watching %s failed, it is polled now: %s", self._folder, error)
        pause = POLL_SECONDS
        while not self._ended.wait(pause):
            began = time.monotonic()
            yield
            pause = max(POLL_SECONDS, (time.monotonic() - began) * (SHARE - 1))

    def _notified(self) -> Iterator[None]:
        """When something has happened, and once when the watcher has surely begun."""
        begun = False
        for changed in watchfiles.watch(
            self._folder,
            watch_filter=None,
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            stop_event=self._ended,
            rust_timeout=BEGUN_MS,
            yield_on_timeout=True,
            force_polling=False,
            ignore_permission_denied=True,
        ):
            if changed or not begun:
                yield
            begun = begun or not changed

    def _look(self) -> Look | None:
        try:
            return look(self._folder, self._ignored)
        except OSError:
            return None
