"""The one place in an execution environment where an invocation runs."""

import threading
from dataclasses import dataclass

from relambda.actors.invocation import Invocation


@dataclass(frozen=True, slots=True)
class Ended:
    """An invocation that was ended from outside; when its caller was `answered` before, only the log hears of it."""

    invocation: Invocation
    answered: bool


class Slot:
    """Holds at most one invocation, from its assignment until all in the environment are done with it. Any thread.

    Whoever takes it answers its caller, and whoever ends it lets the next one in; each happens once. The answer comes
    first, and the end with it or, where extensions still work on it, later. A timeout or an exit does both.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Invocation | None = None
        self._unanswered = False
        self._open = True

    def put(self, invocation: Invocation) -> bool:
        """Put an invocation in; False when none may come in now."""
        with self._lock:
            if not self._open or self._running is not None:
                return False
            self._running, self._unanswered = invocation, True
            return True

    def take(self, request_id: str | None = None) -> Invocation | None:
        """Take the invocation to answer it, if it is the one asked for; None asks for any."""
        with self._lock:
            if not self._unanswered or not self._is(request_id):
                return None
            self._unanswered = False
            return self._running

    def end(self, request_id: str | None = None) -> Invocation | None:
        """End the invocation that was answered, if it is the one asked for; None asks for any."""
        with self._lock:
            if self._unanswered or not self._is(request_id):
                return None
            invocation, self._running = self._running, None
            return invocation

    def clear(self, request_id: str | None = None) -> Ended | None:
        """End the invocation, answered or not, if it is the one asked for; None asks for any."""
        with self._lock:
            if self._running is None or not self._is(request_id):
                return None
            ended = Ended(self._running, answered=not self._unanswered)
            self._running, self._unanswered = None, False
            return ended

    def holds(self, request_id: str) -> bool:
        """Whether that invocation is in it."""
        with self._lock:
            return self._is(request_id)

    def shut(self) -> None:
        """Let none in until `open`."""
        with self._lock:
            self._open = False

    def open(self) -> None:
        """Let the next one in."""
        with self._lock:
            self._open = True

    def _is(self, request_id: str | None) -> bool:
        return self._running is not None and request_id in {None, self._running.request_id}
