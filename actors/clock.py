"""Time: what the clock says, and calls that are made later; tests put their own in its place."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

_log = logging.getLogger(__name__)
_SWEEP_FROM = 256


class Clock(Protocol):
    """Where time comes from."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...


class SystemClock:
    """The machine's own time."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()


class Timer:
    """A call to come; `cancel` from any thread, and it does not come unless it has begun."""

    __slots__ = ("_on_cancel", "action")

    def __init__(self, action: Callable[[], None], on_cancel: Callable[[], None]) -> None:
        self.action: Callable[[], None] | None = action
        self._on_cancel = on_cancel

    def cancel(self) -> None:
        """Let the call not come; safe to repeat."""
        if self.action is not None:
            self.action = None
            self._on_cancel()


class Scheduler:
    """One thread that makes calls at their time. Calls must be short: a `tell`, the setting of a future."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._stopped = False
        self._cancelled = 0
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
        self._thread.start()

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Make a call in `seconds` from now, on the scheduler's thread."""
        timer = Timer(action, self._count_cancelled)
        entry = (self._clock.monotonic() + seconds, next(self._order), timer)
        with self._changed:
            heapq.heappush(self._due, entry)
            if self._due[0] is entry:
                self._changed.notify()
        return timer

    def stop(self, timeout: float = 5.0) -> None:
        """Make no more calls and end the thread."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join(timeout)

    def pending(self) -> int:
        """How many calls are kept, cancelled ones that are not swept yet among them."""
        return len(self._due)

    def _count_cancelled(self) -> None:
        """Sweep cancelled calls when they are most of what is kept: a busy cloud cancels thousands a second."""
        self._cancelled += 1
        if self._cancelled < _SWEEP_FROM or self._cancelled * 2 < len(self._due):
            return
        with self._changed:
            self._due = [entry for entry in self._due if entry[2].action is not None]
            heapq.heapify(self._due)
            self._cancelled = 0

    def _run(self) -> None:
        while (timer := self._next()) is not None:
            action = timer.action
            if action is None:
                continue
            try:
                action()
            except Exception:  # noqa: BLE001 - one bad call must not stop the others
                _log.exception("a scheduled call failed")

    def _next(self) -> Timer | None:
        with self._changed:
            while not self._stopped:
                if not self._due:
                    self._changed.wait()
                    continue
                wait = self._due[0][0] - self._clock.monotonic()
                if wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait)
        return None
