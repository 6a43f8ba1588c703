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
        self.phase: Phase = "init"

    def begin(self, phase: Phase) -> None:
        """Processes are about to start."""
        with self._lock:
            self.phase, self._began, self._succeeded = phase, time.monotonic(), False

    def end(self, *, succeeded: bool) -> float | None:
        """It is over; how many milliseconds it took. None when it had ended before."""
        with self._lock:
            if self._began is None:
                return None
            took = (time.monotonic() - self._began) * 1000
            self._began, self._succeeded = None, succeeded
            return took

    def undo(self) -> None:
        """The processes are no more."""
        with self._lock:
            self._began, self._succeeded = None, False

    @property
    def is_running(self) -> bool:
        """Whether processes have been started and are not ready."""
        return self._began is not None

    @property
    def cold(self) -> bool:
        """Whether no process runs that an invocation could be given to, now or soon."""
        return self._began is None and not self._succeeded
