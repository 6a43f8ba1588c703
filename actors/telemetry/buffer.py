"""Events on their way to one subscriber: in batches as it asked for, and dropped when it does not keep up; pure."""

import json
from collections import deque
from typing import Any, Final

_BACKLOG: Final = 4
"""How many batches are kept for a subscriber that does not keep up."""


class TelemetryBuffer:
    """Holds encoded events. Times are monotonic seconds."""

    def __init__(self, max_items: int, max_bytes: int, timeout: float) -> None:
        self._max_items, self._max_bytes, self._timeout = max_items, max_bytes, timeout
        self._events: deque[bytes] = deque()
        self._bytes = 0
        self._since = 0.0
        self._dropped_records = self._dropped_bytes = 0
        self._reason = ""

    def __len__(self) -> int:
        return len(self._events)

    @property
    def full(self) -> bool:
        """Whether a batch has as many events or bytes as it may have."""
        return len(self._events) >= self._max_items or self._bytes >= self._max_bytes

    @property
    def due(self) -> float | None:
        """When a batch must go though it is not full; None when there is none."""
        return self._since + self._timeout if self._events else None

    def add(self, event: bytes, now: float) -> None:
        """Keep an event, or drop it when four batches wait already."""
        if len(self._events) >= _BACKLOG * self._max_items or self._bytes + len(event) > _BACKLOG * self._max_bytes:
            self._count(1, len(event), "the subscriber does not keep up with what is produced")
            return
        if not self._events:
            self._since = now
        self._events.append(event)
        self._bytes += len(event)

    def take(self, now: float, time: str) -> list[bytes]:
        """The next batch: at most `max_items` events, and `max_bytes` of them but for the last.

        What was dropped by then is told at its end, under the time of day `time`.
        """
        batch: list[bytes] = []
        size = 0
        while self._events and len(batch) < self._max_items and size < self._max_bytes:
            batch.append(self._events.popleft())
            size += len(batch[-1])
        self._bytes -= size
        self._since = now
        if self._dropped_records and len(batch) < self._max_items:
            batch.append(self._told_drops(time))
        return batch

    def lose(self, batch: list[bytes], reason: str) -> None:
        """A batch could not be delivered: it is dropped, and told of at the end of a later one."""
        self._count(len(batch), sum(map(len, batch)), reason)

    def _count(self, records: int, size: int, reason: str) -> None:
        self._dropped_records += records
        self._dropped_bytes += size
        self._reason = reason

    def _told_drops(self, time: str) -> bytes:
        record = {
            "droppedRecords": self._dropped_records,
            "droppedBytes": self._dropped_bytes,
            "reason": self._reason,
        }
        self._dropped_records = self._dropped_bytes = 0
        return encode_event(time, "platform.logsDropped", record)


def encode_event(time: str, event_type: str, record: Any) -> bytes:
    """An event as subscribers read it: a JSON document without line ends."""
    document = {"time": time, "type": event_type, "record": record}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
