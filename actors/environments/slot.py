"""The one place in an execution environment where an invocation runs."""

import threading
from dataclasses import dataclass

from relambda.actors.environments.run import Run


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that was ended from outside."""

    run: Run
    answered: bool
    """Whether its caller was answered before: then only the log hears of the end."""
    begun: bool = True

    @property
    def waited(self) -> bool:
        """Whether it never began: no runtime has had it, so any other may."""
        return not (self.begun or self.answered)


class Slot:
    """Holds at most one run, from its assignment until all in the environment are done with it. Any thread.

    Whoever begins it hands it over, whoever takes it answers its caller, and whoever ends it lets the next one in;
    each happens once. The answer comes first, and the end with it or, where extensions still work on it, later. A
    timeout or an exit does both.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Run | None = None
        self._begun = self._unanswered = False
        self._open = True

    def put(self, run: Run) -> bool:
        """Put a run in; False when none may come in now."""
        with self._lock:
            if not self._open or self._running is not None:
                return False
            self._running, self._begun, self._unanswered = run, False, True
            return True

    def begin(self, request_id: str) -> Run | None:
        """Begin that run, or go on with it; None when it has been ended."""
        with self._lock:
            if not self._unanswered or not self._is(request_id):
                return None
            self._begun = True
            return self._running

    def take(self, request_id: str | None = None) -> Run | None:
        """Take the run to answer it, if it is the one asked for; None asks for any."""
        with self._lock:
            if not self._unanswered or not self._is(request_id):
                return None
            self._unanswered = False
            return self._running

    def end(self, request_id: str | None = None) -> Run | None:
        """End the run that was answered, if it is the one asked for; None asks for any."""
        with self._lock:
            if self._unanswered or not self._is(request_id):
                return None
            run, self._running = self._running, None
            return run

    def clear(self, request_id: str | None = None) -> Ended | None:
        """End the run, answered or not, if it is the one asked for; None asks for any."""
        with self._lock:
            return self._clear() if self._is(request_id) else None

    def withdraw(self, request_id: str) -> Ended | None:
        """End that run if it has not begun."""
        with self._lock:
            return self._clear() if self._is(request_id) and not self._begun else None

    def running(self, request_id: str | None = None) -> Run | None:
        """The run, answered or not, if it is the one asked for; None asks for any."""
        with self._lock:
            return self._running if self._is(request_id) else None

    def shut(self) -> None:
        """Let none in until `open`."""
        with self._lock:
            self._open = False

    def open(self) -> None:
        """Let the next one in."""
        with self._lock:
            self._open = True

    def _clear(self) -> Ended | None:
        if self._running is None:
            return None
        ended = Ended(self._running, answered=not self._unanswered, begun=self._begun)
        self._running, self._unanswered = None, False
        return ended

    def _is(self, request_id: str | None) -> bool:
        return self._running is not None and request_id in {None, self._running.request_id}
