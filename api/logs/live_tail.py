"""Live tails: what is added to log groups, told once a second to clients that stay (CloudWatch Logs, StartLiveTail).

Each session holds the front end's thread that serves it, so there are few, and they end when the cloud stops.
"""

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from relambda.actors.clock import Clock
from relambda.api.event_stream import JSON, exception, message
from relambda.api.logs.pattern_text import Pattern
from relambda.store.logs.events import Lines
from relambda.store.logs.feed import Feed
from relambda.store.logs.records import GroupName, StreamName

MOST_SESSIONS: Final = 15
"""CloudWatch Logs quotas, "Live Tail sessions"; half of the threads that serve other things than invocations."""
SESSION_SECONDS: Final = 3 * 3600.0
UPDATE_SECONDS: Final = 1.0
UPDATE_EVENTS: Final = 500
"""CloudWatch Logs API, "StartLiveTail", for all three."""
BACKLOG_BYTES: Final = 16 * 1024 * 1024
"""What waits for a session at most, until its next update or for a client that reads slowly."""
EVENT_BYTES: Final = 100
"""What an event takes beside its message, about."""


class TooManyTailsError(Exception):
    """Raised when there are as many sessions as there may be."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a session is to be told: groups by the identifiers that were asked for, all of their streams or some."""

    groups: Mapping[GroupName, str]
    names: frozenset[str]
    prefixes: tuple[str, ...]
    pattern: Pattern

    def takes(self, stream: StreamName) -> bool:
        """Whether events of a stream count."""
        if stream.group not in self.groups:
            return False
        if self.names:
            return stream.name in self.names
        return not self.prefixes or stream.name.startswith(self.prefixes)


@dataclass(frozen=True, slots=True)
class _Added:
    stream: StreamName
    at_ms: int
    message: str
    added_ms: int


class Backlog:
    """What has been added since the last update; the oldest goes when it is too much. Any thread."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._lock = threading.Lock()
        self._added: deque[_Added] = deque()
        self._bytes = 0
        self._dropped = False

    def hear(self, batch: Mapping[StreamName, Lines], now_ms: int) -> None:
        """Keep what counts of a batch; patterns are for the session's own thread."""
        for stream, lines in batch.items():
            if self._wanted.takes(stream):
                self._keep([_Added(stream, at_ms, text, now_ms) for at_ms, text in lines])

    def _keep(self, added: list[_Added]) -> None:
        with self._lock:
            self._added.extend(added)
            self._bytes += sum(map(_size, added))
            while self._bytes > BACKLOG_BYTES:
                self._bytes -= _size(self._added.popleft())
                self._dropped = True

    def update(self) -> dict[str, Any]:
        """A LiveTailSessionUpdate of what matches; of more than 500 events, some from everywhere among them."""
        with self._lock:
            added, self._added, self._bytes = self._added, deque(), 0
            dropped, self._dropped = self._dropped, False
        found = [each for each in added if self._wanted.pattern(each.message)]
        many = len(found)
        if many > UPDATE_EVENTS:
            found = [found[number * many // UPDATE_EVENTS] for number in range(UPDATE_EVENTS)]
        results = [self._result(each) for each in found]
        return {"sessionMetadata": {"sampled": dropped or many > UPDATE_EVENTS}, "sessionResults": results}

    def _result(self, added: _Added) -> dict[str, Any]:
        return {
            "logStreamName": added.stream.name,
            "logGroupIdentifier": self._wanted.groups[added.stream.group],
            "message": added.message,
            "timestamp": added.at_ms,
            "ingestionTime": added.added_ms,
        }


class LiveTails:
    """All sessions of a cloud. Any thread may open them; each is read by the thread that serves it."""

    def __init__(self, feed: Feed, clock: Clock) -> None:
        self.feed, self.clock = feed, clock
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._open = 0

    def open(self, wanted: Wanted, start: Mapping[str, Any]) -> "LiveTail":
        """A session that hears from now on; `start` is its LiveTailSessionStart. Raises TooManyTailsError."""
        with self._lock:
            if self._open >= MOST_SESSIONS:
                raise TooManyTailsError(f"{MOST_SESSIONS} live tail sessions are open already")
            self._open += 1
        return LiveTail(self, wanted, start)

    def closed(self) -> None:
        """One session is over."""
        with self._lock:
            self._open -= 1

    def stop(self) -> None:
        """Let all sessions end within a moment; safe in a signal's handler and to repeat."""
        self.stopping.set()


class LiveTail:
    """One session, as the messages of its event stream. Whoever iterates must `close` it, begun or not."""

    def __init__(self, owner: LiveTails, wanted: Wanted, start: Mapping[str, Any]) -> None:
        self._owner, self._start = owner, start
        self._backlog = Backlog(wanted)
        self._messages = self._talk()
        self._is_open = True
        owner.feed.add(self._backlog.hear)

    def __iter__(self) -> "LiveTail":
        return self

    def __next__(self) -> bytes:
        """The next message; waits for its second."""
        return next(self._messages)

    def close(self) -> None:
        """Hear no more; safe to repeat."""
        if self._is_open:
            self._is_open = False
            self._owner.feed.remove(self._backlog.hear)
            self._owner.closed()

    def _talk(self) -> Iterator[bytes]:
        """SDKs of JSON protocols read an initial response first."""
        yield message("initial-response", JSON, b"{}") + _told("sessionStart", self._start)
        clock, stopping = self._owner.clock, self._owner.stopping
        began = clock.monotonic()
        due, end = began + UPDATE_SECONDS, began + SESSION_SECONDS
        while not stopping.wait(max(0.0, due - clock.monotonic())):
            if clock.monotonic() >= end:
                yield exception("SessionTimeoutException", "The session was open for three hours.")
                return
            yield _told("sessionUpdate", self._backlog.update())
            due = max(due + UPDATE_SECONDS, clock.monotonic())
        yield exception("SessionStreamingException", "The cloud stops.")


def _size(added: _Added) -> int:
    return len(added.message) + EVENT_BYTES


def _told(event_type: str, document: Mapping[str, Any]) -> bytes:
    return message(event_type, JSON, msgspec.json.encode(document))
