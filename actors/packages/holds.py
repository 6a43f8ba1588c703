"""Which trees somebody works with at this moment, so that nobody removes them."""

import threading
from collections import Counter
from collections.abc import Callable, Collection
from typing import Self


class Hold:
    """Trees that stay until they are let go of; also a context that lets go at its end. Any thread."""

    def __init__(self, holds: "Holds", names: Collection[str]) -> None:
        self._holds, self._names = holds, names

    def release(self) -> None:
        """Let go; safe to repeat."""
        names, self._names = self._names, ()
        self._holds.let_go(names)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Holds:
    """Counts who holds what. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = Counter[str]()

    def take(self, names: Collection[str]) -> Hold:
        """Hold trees of these names, there or not."""
        with self._lock:
            self._counts.update(names)
        return Hold(self, names)

    def let_go(self, names: Collection[str]) -> None:
        """Count one holder less of each."""
        with self._lock:
            self._counts.subtract(names)
            for name in names:
                if not self._counts[name]:
                    del self._counts[name]

    def unless_held(self, name: str, act: Callable[[], None]) -> bool:
        """Act while nobody can begin to hold it, which must be short; False, and nothing is done, when it is held."""
        with self._lock:
            if self._counts.get(name):
                return False
            act()
            return True

    def held(self, name: str) -> bool:
        """Whether somebody holds it now."""
        with self._lock:
            return bool(self._counts.get(name))
