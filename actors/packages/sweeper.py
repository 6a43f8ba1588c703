"""Removing what was unpacked and is needed no more: when a cloud starts, and soon after a version has gone."""

import logging
import threading
from collections.abc import Callable, Collection
from typing import Final

from relambda.actors.packages.packages import Packages

_log = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 5.0
"""So long after a first doubt one look at all versions answers for it and for those that came meanwhile."""
_STOP_SECONDS: Final = 5.0


class TreeSweeper:
    """One thread that removes doubtful trees, unless a version needs them or somebody holds them.

    What is held is looked at again later. A tree that is removed and then needed is unpacked again from its blob.
    """

    def __init__(
        self, packages: Packages, needed: Callable[[], Collection[str]], pause_seconds: float = PAUSE_SECONDS
    ) -> None:
        """`needed` names what all versions need; it is called on this thread, and may take its time."""
        self._packages, self._needed, self._pause = packages, needed, pause_seconds
        self._changed = threading.Condition()
        self._doubtful: set[str] = set()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="tree-sweeper", daemon=True)

    def start(self) -> None:
        """Begin, with a doubt about all that is there."""
        self.doubt(self._packages.names())
        self._thread.start()

    def doubt(self, names: Collection[str]) -> None:
        """Versions that needed these trees have gone; others may need them still. Any thread, and returns at once."""
        if names:
            with self._changed:
                self._doubtful.update(names)
                self._changed.notify()

    def stop(self) -> None:
        """Remove nothing more, once what is being removed is gone."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        while self._doubts():
            try:
                self._sweep()
            except Exception:  # noqa: BLE001 - the disk's room is not worth the thread, whatever it was
                _log.exception("unpacked packages that nobody needs are left over")

    def _doubts(self) -> bool:
        """Wait for a doubt, then for its pause to be over; False when stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._doubtful)
            self._changed.wait_for(lambda: self._stopped, self._pause)
            return not self._stopped

    def _sweep(self) -> None:
        with self._changed:
            free = {name for name in self._doubtful if not self._packages.held(name)}
            self._doubtful -= free
        if free:
            removed = [name for name in free.difference(self._needed()) if self._remove(name)]
            _log.debug("removed %d unpacked packages that no version needs", len(removed))

    def _remove(self, name: str) -> bool:
        """One that has been taken hold of meanwhile stays doubtful."""
        if self._stopped:
            return False
        removed = self._packages.remove(name)
        if not removed:
            self.doubt([name])
        return removed
