"""What the store of function logs keeps: groups, streams and events, in the words of CloudWatch Logs.

Times are milliseconds since 1970, as in that service's API.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

EVENT_OVERHEAD = 26
"""Bytes that count for each event beside its message (CloudWatch Logs API, PutLogEvents)."""


class LogGroupNotFoundError(LookupError):
    """Raised when there is no log group of that name."""


class LogStreamNotFoundError(LookupError):
    """Raised when the log group has no stream of that name."""


class LogGroupExistsError(ValueError):
    """Raised when a log group that is to be made is there."""


class LogStreamExistsError(ValueError):
    """Raised when a log stream that is to be made is there."""


@dataclass(frozen=True, slots=True)
class GroupName:
    """A log group of an account and region."""

    account: str
    region: str
    name: str


@dataclass(frozen=True, slots=True)
class StreamName:
    """A log stream of a group."""

    group: GroupName
    name: str


@dataclass(frozen=True, slots=True)
class LogGroup:
    """A log group as it is kept; `retention_days` None keeps its events for ever."""

    id: int
    name: str
    created_ms: int
    retention_days: int | None = None
    log_class: str = "STANDARD"
    kms_key_id: str | None = None
    protected: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)

    def cutoff_ms(self, now_ms: int) -> int:
        """Events before this time have expired."""
        return 0 if self.retention_days is None else max(0, now_ms - self.retention_days * 86_400_000)


@dataclass(frozen=True, slots=True)
class LogStream:
    """A log stream as it is kept; an automatic one, made by a first write, goes with its last event."""

    id: int
    group_id: int
    name: str
    created_ms: int
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class StreamSpan:
    """The times of a stream's first and last event, and when the last one came in; None for an empty stream."""

    first_ms: int | None
    last_ms: int | None
    ingested_ms: int | None


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """An event's place in its group, and in its stream: by time, and of one time in the order it came in."""

    at_ms: int
    sequence: int


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One event of a stream."""

    place: Place
    stream_id: int
    ingested_ms: int
    message: str
