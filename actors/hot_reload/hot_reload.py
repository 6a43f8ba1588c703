"""Hot reload: code that is a folder of this machine, and the runtime that starts anew when it changes."""

import logging
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from relambda.actors.domain.version import Version
from relambda.actors.hot_reload.folder import Roots
from relambda.actors.hot_reload.tree import NEAR, Ignored, Look, identity, look
from relambda.actors.hot_reload.watcher import Listener, Watcher

_log = logging.getLogger(__name__)
_TICK_NS = 12_000_000
"""The clock that stamps files moves in steps of up to 10 ms: two changes within one may look like one."""
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known of a folder: equal ones mean equal content."""

    changes: int | None
    """How many there were; None where nobody knows of all, and `look` has taken in every file."""
    look: Look


class HotReload:
    """What a cloud knows of hot reload: where folders may lie, what in them does not count, and who watches them."""

    def __init__(self, roots: Roots, ignored: Ignored, watcher: Watcher, lay_out: Callable[[Version], object]) -> None:
        """`lay_out` brings what containers of a version have mounted up to date. It may raise OSError."""
        self.roots, self._ignored, self._watcher, self._lay_out = roots, ignored, watcher, lay_out

    def code_of(self, version: Version, noticed: Callable[[], None]) -> "HotCode | None":
        """The folders that a version's code and layers are, None for an ordinary one.

        `noticed` is called, on a thread of the watcher's, when they hold something else than the runtime loaded.
        """
        return HotCode(version.folders, self, lambda: self._lay_out(version), noticed) if version.folders else None

    def see(self, path: str, changes: int | None) -> Sight:
        """What a folder holds now: of all its files where the changes are unknown. Raises HotFolderError, OSError."""
        most = sys.maxsize if changes is None else NEAR
        return Sight(changes, look(self.roots.admit(path), self._ignored, most))

    def identity(self, path: str) -> tuple[int, int]:
        """Which folder a path leads to now. Raises HotFolderError, OSError."""
        return identity(self.roots.admit(path))

    def listen(self, path: str, heard: Callable[[], None]) -> Listener:
        """Watch a folder, and tell when it may have changed, until the answer is closed.

        Raises HotFolderError, OSError.
        """
        return self._watcher.listen(self.roots.admit(path), heard)

    def stop(self) -> None:
        """Watch nothing any more."""
        self._watcher.stop()


class HotCode:
    """The folders of one execution environment, and what they held when its runtime started.

    The instance's actor loads and closes; the function's actor asks whether it is outdated before it hands over an
    invocation, so that none runs stale code even where nobody hears of a change.
    """

    def __init__(
        self, paths: Sequence[str], hot_reload: HotReload, lay_out: Callable[[], object], noticed: Callable[[], None]
    ) -> None:
        self._paths, self._hot_reload, self._lay_out, self._noticed = paths, hot_reload, lay_out, noticed
        self._listeners: dict[str, Listener] | None = None
        self._loaded: tuple[Sight, ...] = ()

    def load(self) -> None:
        """Remember what the folders hold, as the runtime is about to start; the first time, begin to watch them.

        A folder that cannot be looked at leaves the code outdated: the next container's start tells why.
        """
        self._watch()
        try:
            self._loaded = self._settled()
            self._lay_out()
        except OSError as error:
            _log.info("hot reload: %s", error)
            self._loaded = ()

    def outdated(self) -> bool:
        """Whether the folders hold something else now than the runtime found."""
        loaded, changes = self._loaded, self._changes()
        if not loaded or changes != [each.changes for each in loaded]:
            return True
        try:
            return self._see(changes) != loaded
        except OSError:
            return True

    def replaced(self) -> bool:
        """Whether a path leads to another folder than the container has mounted, or to none."""
        loaded = self._loaded
        try:
            mounted = [each.look.identity for each in loaded]
            return not mounted or [self._hot_reload.identity(path) for path in self._paths] != mounted
        except OSError:
            return True

    def close(self) -> None:
        """Watch no more."""
        for listener in (self._listeners or {}).values():
            listener.close()

    def _watch(self) -> None:
        if self._listeners is not None:
            return
        self._listeners = {}
        for path in self._paths:
            try:
                self._listeners[path] = self._hot_reload.listen(path, self._heard)
            except OSError as error:
                _log.info("hot reload: %s", error)

    def _heard(self) -> None:
        """Tell it if it is not what the runtime loaded already."""
        if self.outdated():
            self._noticed()

    def _settled(self) -> tuple[Sight, ...]:
        """What is seen when the last change of each file that is known by looks alone is past the clock's step.

        Bounded, since clocks may differ.
        """
        began_ns, seen = time.time_ns(), self._see(self._changes())
        for _ in range(_TRIES):
            if all(each.changes is not None or each.look.newest_ns < began_ns - _TICK_NS for each in seen):
                break
            time.sleep(_TICK_NS / 1e9)
            began_ns, seen = time.time_ns(), self._see(self._changes())
        return seen

    def _changes(self) -> list[int | None]:
        """How many changes each folder has had. They are counted before a look, so that no later one is missed."""
        listeners = [(self._listeners or {}).get(path) for path in self._paths]
        return [listener.changes() if listener else None for listener in listeners]

    def _see(self, changes: Sequence[int | None]) -> tuple[Sight, ...]:
        return tuple(map(self._hot_reload.see, self._paths, changes))
