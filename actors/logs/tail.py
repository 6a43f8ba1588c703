"""LogType=Tail: the end of one invocation's log, ready at once, without waiting for the log to be written."""

import threading

from relambda.actors.logs.lines import Report
from relambda.actors.logs.text import LogText
from relambda.actors.logs.words import Ended, Marked, Started, Word, Wrote

TAIL_BYTES = 4096
"""limits.tsv, "LogResult"."""


class Tail:
    """Keeps the last lines of an invocation, in its function's format. Any thread."""

    def __init__(self, text: LogText, at_ms: int, request_id: str) -> None:
        self._lock = threading.Lock()
        self._text = text
        self._kept = b""
        self._put(at_ms, Started(request_id))

    def write(self, at_ms: int, data: bytes) -> None:
        """The function wrote."""
        self._put(at_ms, Wrote(data))

    def tell(self, at_ms: int, word: Word) -> None:
        """The platform told of something inside the invocation."""
        self._put(at_ms, word)

    def end(self, at_ms: int, report: Report, last_words: str, peak_bytes: int) -> bytes:
        """The last 4 KB, with the invocation's end."""
        self._put(at_ms, Marked(report.request_id, peak_bytes))
        self._put(at_ms, Ended(report, last_words=last_words))
        return self._kept

    def _put(self, at_ms: int, word: Word) -> None:
        with self._lock:
            found = list(self._text.write(at_ms, word))[-TAIL_BYTES:]
            lines = "".join(line if line.endswith("\n") else f"{line}\n" for line in found)
            self._kept = (self._kept + lines.encode("utf-8", "replace"))[-TAIL_BYTES:]
