"""Images that were present a moment ago, so that many functions created in a row ask the engine once."""

import threading
import time
from collections.abc import Callable
from typing import Final

SECONDS: Final = 2.0
"""How long a look at the engine counts. Whoever starts a container looks again, so that nothing runs on a memory."""


class RecentImages:
    """The image of a runtime and architecture, as of the last look. Any thread may ask."""

    def __init__(self, seconds: float = SECONDS, now: Callable[[], float] = time.monotonic) -> None:
        """`now` tells seconds, from any beginning."""
        self._seconds, self._now = seconds, now
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], tuple[float, str]] = {}

    def image(self, runtime: str, architecture: str, look: Callable[[], str]) -> str:
        """What a look has found within the last seconds, or what it finds now; what it raises is not remembered.

        The age is that of the look's beginning: a pull that takes minutes is looked at again.
        """
        key, began = (runtime, architecture), self._now()
        with self._lock:
            seen, image = self._seen.get(key, (0.0, ""))
        if image and began - seen < self._seconds:
            return image
        found = look()
        with self._lock:
            self._seen[key] = began, found
        return found
