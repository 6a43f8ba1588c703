"""Where the next invocation waits for the mark behind all that the last one wrote, so that no line is out of place."""

import threading

from relambda.actors.runtime_api.session import RuntimeEvent


class MarkGate:
    """Open until it is shut for a mark; one event at most waits in front of it. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mark = ""
        self._event: RuntimeEvent | None = None

    def shut(self, mark: str) -> None:
        """Let nothing pass until that mark comes, or `open` says that it does not."""
        with self._lock:
            self._mark, self._event = mark, None

    def passes(self, event: RuntimeEvent) -> bool:
        """Whether an event may pass now; else it waits."""
        with self._lock:
            if self._mark:
                self._event = event
            return not self._mark

    def open(self, mark: str) -> RuntimeEvent | None:
        """Open it if it is shut for that mark; the event that waited."""
        with self._lock:
            if not self._mark or self._mark != mark:
                return None
            event, self._mark, self._event = self._event, "", None
            return event

    def clear(self) -> None:
        """Open it and forget what waits: its invocation has ended."""
        with self._lock:
            self._mark, self._event = "", None
