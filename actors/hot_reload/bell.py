"""The thread that hears of changes in all the folders that the system notifies of."""

import os
import select
import threading
from collections.abc import Callable, Sequence

from relambda.actors.hot_reload.watch import Watch

STEP_MS = 10
"""A change is told when this long no other one has come: a few files saved together are one change."""
DEBOUNCE_STEPS = 5
STOP_SECONDS = 5.0


class Bell:
    """Lets watches tell their listeners of changes, soon after the last of several. It runs from the first ring on."""

    def __init__(self, watches: Callable[[], Sequence[Watch]]) -> None:
        self._watches = watches
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._rope = -1
        self._stopped = False

    def ring(self) -> None:
        """There may be something to tell, or other watches than before; any thread."""
        with self._lock:
            if self._stopped:
                return
            if self._thread is None:
                self._rope = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
                self._thread = threading.Thread(target=self._run, name="watch-all", daemon=True)
                self._thread.start()
            os.eventfd_write(self._rope, 1)

    def stop(self) -> None:
        """Tell nothing more, and wait until the thread has ended."""
        with self._lock:
            self._stopped = True
            thread, self._thread = self._thread, None
            if thread is None:
                return
            os.eventfd_write(self._rope, 1)
        thread.join(STOP_SECONDS)
        if not thread.is_alive():
            os.close(self._rope)

    def _run(self) -> None:
        while not self._stopped:
            self._wait(None)
            for _ in range(DEBOUNCE_STEPS):
                for watch in self._watches():
                    watch.changes()
                if not self._wait(STEP_MS):
                    break
            for watch in self._watches():
                watch.tell()

    def _wait(self, milliseconds: int | None) -> bool:
        """Whether something came within that time."""
        poll = select.poll()
        for number in (self._rope, *(watch.fileno() for watch in self._watches())):
            if number is not None:
                poll.register(number, select.POLLIN)
        ready = poll.poll(milliseconds)
        if any(number == self._rope for number, _ in ready):
            os.eventfd_read(self._rope)
        return bool(ready)
