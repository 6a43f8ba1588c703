"""Hot reload: code that is a folder of this machine, and the runtime that starts anew when it changes."""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from pathlib import Path

from relambda.actors.domain.version import Version
from relambda.actors.hot_reload.folder import Roots
from relambda.actors.hot_reload.tree import Ignored, Look, look
from relambda.actors.hot_reload.watcher import Watcher

_log = logging.getLogger(__name__)
_TICK_NS = 12_000_000
"""The clock that stamps files moves in steps of up to 10 ms: two changes within one may look like one."""
_TRIES = 5


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

    def look(self, path: str) -> Look:
        """What a folder holds now. Raises HotFolderError, OSError."""
        return look(self.roots.admit(path), self._ignored)

    def listen(self, path: str, heard: Callable[[Collection[Path]], None]) -> Callable[[], None]:
        """Tell of the files that change in a folder until the answer is called, and of none now and then.

        Raises HotFolderError, OSError.
        """
        folder = self.roots.admit(path)

        def relevant(changed: Collection[str]) -> None:
            paths = [Path(each) for each in changed if not self._ignored.within(_below(folder, each))]
            if paths or not changed:
                heard(paths)

        return self._watcher.listen(folder, relevant)

    def stop(self) -> None:
        """Watch nothing any more."""
        self._watcher.stop()


class HotCode:
    """The folders of one execution environment, and what they held when its runtime started.

    The instance's actor loads and closes; the function's actor asks whether it is outdated before it hands over an
    invocation, so that none runs stale code even where the watcher hears late or nothing.
    """

    def __init__(
        self, paths: Sequence[str], hot_reload: HotReload, lay_out: Callable[[], object], noticed: Callable[[], None]
    ) -> None:
        self._paths, self._hot_reload, self._lay_out, self._noticed = paths, hot_reload, lay_out, noticed
        self._watches = ExitStack()
        self._watched = False
        self._loaded: tuple[Look, ...] = ()
        self._loaded_ns = self._heard_ns = 0

    def load(self) -> None:
        """Remember what the folders hold, as the runtime is about to start; the first time, begin to watch them.

        A folder that cannot be looked at leaves the code outdated: the next container's start tells why.
        """
        self._watch()
        try:
            self._loaded, self._loaded_ns = self._settled()
            self._lay_out()
        except OSError as error:
            _log.info("hot reload: %s", error)
            self._loaded = ()

    def outdated(self) -> bool:
        """Whether the folders hold something else now than the runtime found."""
        return self._heard_since() or self._now() != self._loaded

    def replaced(self) -> bool:
        """Whether a path leads to another folder than the container has mounted, or to none."""
        return [each.identity for each in self._now()] != [each.identity for each in self._loaded] or not self._loaded

    def close(self) -> None:
        """Watch no more."""
        self._watches.close()

    def _watch(self) -> None:
        if self._watched:
            return
        self._watched = True
        for path in self._paths:
            try:
                self._watches.callback(self._hot_reload.listen(path, self._heard))
            except OSError as error:
                _log.info("hot reload: %s", error)

    def _heard(self, paths: Collection[Path]) -> None:
        """Tell it if it is not what the runtime loaded already; when no path is told, it is looked at."""
        self._heard_ns = max([self._heard_ns, *map(_changed_ns, paths)])
        if self._heard_since() or (not paths and self.outdated()):
            self._noticed()

    def _heard_since(self) -> bool:
        """Whether a file has changed after the last look: one that the look saw is older than the clock's step."""
        return self._heard_ns >= self._loaded_ns - _TICK_NS

    def _settled(self) -> tuple[tuple[Look, ...], int]:
        """A look at files whose last change is past the clock's step; bounded, since clocks may differ."""
        began_ns, looks = time.time_ns(), self._looks()
        for _ in range(_TRIES):
            if all(each.newest_ns < began_ns - _TICK_NS for each in looks):
                break
            time.sleep(_TICK_NS / 1e9)
            began_ns, looks = time.time_ns(), self._looks()
        return looks, began_ns

    def _looks(self) -> tuple[Look, ...]:
        return tuple(map(self._hot_reload.look, self._paths))

    def _now(self) -> tuple[Look, ...]:
        try:
            return self._looks()
        except OSError:
            return ()


def _below(folder: Path, path: str) -> str:
    return path.removeprefix(str(folder)).lstrip("/")


def _changed_ns(path: Path) -> int:
    """When a file changed, or the nearest folder that is left of what was removed."""
    for place in (path, *path.parents):
        try:
            return place.lstat().st_ctime_ns
        except OSError:
            continue
    return 0
