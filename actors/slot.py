"""The one place in an execution environment where an invocation runs."""

import threading

from relambda.actors.invocation import Invocation


class Slot:
    """Holds at most one invocation. Whoever takes it ends it: the answer, the timeout, the exit. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._invocation: Invocation | None = None
        self._closed = False

    def put(self, invocation: Invocation) -> bool:
        """Put an invocation in; False when the environment is no more."""
        with self._lock:
            if self._closed or self._invocation is not None:
                return False
            self._invocation = invocation
            return True

    def take(self, request_id: str | None = None) -> Invocation | None:
        """Take the invocation out, if it is the one asked for; None asks for any."""
        with self._lock:
            invocation = self._invocation
            if invocation is None or request_id not in {None, invocation.request_id}:
                return None
            self._invocation = None
            return invocation

    def close(self) -> Invocation | None:
        """Take no more in; what was in it."""
        with self._lock:
            self._closed = True
        return self.take()

    @property
    def empty(self) -> bool:
        """Whether no invocation runs."""
        return self._invocation is None
