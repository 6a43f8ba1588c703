"""How often and how soon an actor that failed is started again."""

from collections import deque

from relambda.actors.clock import Clock


class Budget:
    """Restarts of one stream: each waits longer, and past `most` within `window` seconds there are none.

    Used under the system's lock.
    """

    def __init__(self, clock: Clock, most: int = 5, window: float = 60.0, base: float = 0.05) -> None:
        self._clock, self._most, self._window, self._base = clock, most, window, base
        self._failures: deque[float] = deque()

    def next_delay(self) -> float | None:
        """Count one more failure; seconds to wait before the restart, None when the budget is spent."""
        now = self._clock.monotonic()
        while self._failures and now - self._failures[0] > self._window:
            self._failures.popleft()
        self._failures.append(now)
        if len(self._failures) > self._most:
            return None
        return float(self._base * 2 ** (len(self._failures) - 1)) if len(self._failures) > 1 else 0.0
