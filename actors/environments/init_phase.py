"""The start of an environment's extensions and runtime, until they ask for work."""

import threading
import time
from typing import Literal, TypeAlias

Phase: TypeAlias = Literal["init", "invoke"]
"""Whether it is the environment's own init phase, or comes after one that failed or a reset, inside an invocation.

AWS calls the second a suppressed init ("Lambda execution environment lifecycle", "Invoke phase failures").
"""


class InitPhase:
    """Begins any number of times; each ends once, by success or failure. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began: float | None = None
        self._succeeded = False
        self._count = 0
        self._unwritten: tuple[str, float] | None = None
        self.phase: Phase = "init"

    def begin(self, phase: Phase) -> None:
        """Processes are about to start."""
        with self._lock:
            self.phase, self._began, self._succeeded, self._unwritten = phase, time.monotonic(), False, None

    def end(self, *, succeeded: bool) -> float | None:
        """It is over; how many milliseconds it took. None when it had ended before."""
        with self._lock:
            if self._began is None:
                return None
            took = (time.monotonic() - self._began) * 1000
            self._began, self._succeeded = None, succeeded
            return took

    def awaits_output(self, took_ms: float) -> str:
        """It has succeeded, and the environment is idle behind all that it wrote: behind this mark."""
        with self._lock:
            self._count += 1
            mark = f"init-{self._count}"
            self._unwritten = mark, took_ms
            return mark

    def written(self, mark: str) -> float | None:
        """That mark has come; how many milliseconds its init took, None if no init waits for it."""
        with self._lock:
            if self._unwritten is None or self._unwritten[0] != mark:
                return None
            (_, took_ms), self._unwritten = self._unwritten, None
            return took_ms

    def shuts_down(self) -> None:
        """The processes are about to end: one that waits for its mark leads to nothing."""
        with self._lock:
            self._unwritten = None

    def undo(self) -> None:
        """The processes are no more."""
        with self._lock:
            self._began, self._succeeded, self._unwritten = None, False, None

    @property
    def is_running(self) -> bool:
        """Whether processes have been started and are not ready."""
        return self._began is not None

    @property
    def cold(self) -> bool:
        """Whether no process runs that an invocation could be given to, now or soon."""
        return self._began is None and not self._succeeded
