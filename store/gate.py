"""The gate that every read passes, so that the map is only moved, swapped or closed while nobody looks into it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from relambda.store.errors import StoreBusyError, StoreClosedError

GATE_SECONDS = 30.0


class ReadGate:
    """Many may be inside at once, or one exclusively; who waits for the exclusive place keeps new ones out.

    Nobody may enter twice in one thread. Waits at most `GATE_SECONDS`, then raises StoreBusyError.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._held = False
        self._shut = False

    def enter(self) -> None:
        """Come in; StoreClosedError once the gate is shut."""
        with self._changed:
            if self._held:
                self._wait(lambda: not self._held or self._shut)
            if self._shut:
                raise StoreClosedError("the store is closed; open it again")
            self._inside += 1

    def leave(self) -> None:
        """Go out again."""
        with self._changed:
            self._inside -= 1
            if self._held:
                self._changed.notify_all()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Be alone inside; StoreClosedError once the gate is shut."""
        self._take()
        try:
            yield
        finally:
            self._release()

    def shut(self) -> bool:
        """Wait until all have left and let nobody in again; False when it was shut before."""
        try:
            self._take()
        except StoreClosedError:
            return False
        with self._changed:
            self._shut = True
        self._release()
        return True

    def _take(self) -> None:
        with self._changed:
            self._wait(lambda: not self._held)
            if self._shut:
                raise StoreClosedError("the store is closed; open it again")
            self._held = True
            try:
                self._wait(lambda: self._inside == 0)
            except StoreBusyError:
                self._held = False
                self._changed.notify_all()
                raise

    def _release(self) -> None:
        with self._changed:
            self._held = False
            self._changed.notify_all()

    def _wait(self, predicate: Callable[[], bool]) -> None:
        if not self._changed.wait_for(predicate, GATE_SECONDS):
            raise StoreBusyError(f"readers did not leave the store within {GATE_SECONDS} s; a read hangs")
