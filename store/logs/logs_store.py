"""The logs of all functions, and whatever else is put among them: kept in the state directory, bounded in bytes.

Beside the event log and no part of pods: logs tell what happened on this machine. A commit survives the death of the
process. One LMDB environment of its own, so that a burst of output never makes a command wait.
"""

from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import TypeVar

from relambda.store.logs import keys
from relambda.store.logs.events import EventTable, Lines
from relambda.store.logs.feed import Feed
from relambda.store.logs.groups import GroupTable
from relambda.store.logs.records import (
    GroupName,
    LogEvent,
    LogGroup,
    LogGroupExistsError,
    LogGroupNotFoundError,
    LogStream,
    LogStreamExistsError,
    LogStreamNotFoundError,
    Place,
    StreamName,
)
from relambda.store.logs.tables import LogTransactions

Result = TypeVar("Result")
Read = Callable[[GroupTable, EventTable], Result]

MAP_FACTOR = 8
"""Bytes on disk for each that counts, at most: small events take more room than they count for."""
CHUNK = 20_000
"""Events that one transaction removes at most, so that writers do not wait long for it."""
MOST_TRIMMED = 2 * CHUNK
"""Events after which `trim` stops: more than come between two calls, so that they keep up with any flood."""
_SLACK_BYTES = 64 * 1024 * 1024


class LogStore:
    """Groups, streams and events. May be used from any thread; every method raises StoreError when the disk fails."""

    def __init__(self, directory: Path, max_bytes: int) -> None:
        """Open the logs; beyond `max_bytes` of events `trim` removes the oldest."""
        self.max_bytes = max_bytes
        self._transactions = LogTransactions(directory, MAP_FACTOR * max_bytes + _SLACK_BYTES)
        self._untrimmed = 0
        self.feed = Feed()
        """Who hears of what `append` and `put` have added."""
        self._shrinking = False

    def read(self, work: Read[Result]) -> Result:
        """What `work` finds in the tables as they are at one moment; it must not keep what it iterates."""
        with self._transactions.read() as transaction:
            tables = self._transactions.tables
            return work(GroupTable(transaction, tables), EventTable(transaction, tables))

    def append(self, batch: Mapping[StreamName, Lines], now_ms: int) -> None:
        """Add lines to streams, which are made when they are not there; all of the batch or nothing."""

        def work(groups: GroupTable, events: EventTable) -> None:
            for name, lines in batch.items():
                self._add(groups, events, groups.ensure(name, now_ms), lines, now_ms)

        self._write(work)
        self.feed.tell(batch, now_ms)

    def put(self, name: StreamName, lines: Lines, now_ms: int) -> None:
        """Add lines to a stream that is there. Raises LogGroupNotFoundError or LogStreamNotFoundError."""

        def work(groups: GroupTable, events: EventTable) -> None:
            stream = groups.stream(groups.group(name.group).id, name.name)
            self._add(groups, events, stream, lines, now_ms)

        self._write(work)
        self.feed.tell({name: lines}, now_ms)

    def create_group(self, name: GroupName, make: Callable[[int], LogGroup]) -> None:
        """Make a group from the id it gets. Raises LogGroupExistsError."""

        def work(groups: GroupTable, _: EventTable) -> None:
            try:
                groups.group(name)
            except LogGroupNotFoundError:
                groups.put_group(name, make(groups.next_id()))
            else:
                raise LogGroupExistsError(name.name)

        self._write(work)

    def change_group(self, name: GroupName, change: Callable[[LogGroup], LogGroup]) -> None:
        """Put a group in the place of what it was. Raises LogGroupNotFoundError."""
        self._write(lambda groups, _: groups.put_group(name, change(groups.group(name))))

    def create_stream(self, name: StreamName, now_ms: int) -> None:
        """Make a stream. Raises LogGroupNotFoundError or LogStreamExistsError."""

        def work(groups: GroupTable, _: EventTable) -> None:
            group = groups.group(name.group)
            try:
                groups.stream(group.id, name.name)
            except LogStreamNotFoundError:
                groups.put_stream(LogStream(groups.next_id(), group.id, name.name, now_ms))
            else:
                raise LogStreamExistsError(name.name)

        self._write(work)

    def delete_stream(self, name: StreamName) -> None:
        """Remove a stream with its events. Raises LogGroupNotFoundError or LogStreamNotFoundError."""

        def work(groups: GroupTable, events: EventTable) -> None:
            stream = groups.stream(groups.group(name.group).id, name.name)
            _remove(groups, events, stream)

        self._write(work)

    def delete_group(self, name: GroupName) -> None:
        """Remove a group with all in it. Raises LogGroupNotFoundError."""

        def work(groups: GroupTable, events: EventTable) -> None:
            for stream in list(groups.streams(groups.group(name).id)):
                _remove(groups, events, stream)
            groups.remove_group(name)

        self._write(work)

    def events(self, stream: LogStream, low: Place, high: Place, most: int, *, backwards: bool) -> list[LogEvent]:
        """Up to `most` of a stream's events from `low` to `high`, in the order they are found in."""

        def work(_: GroupTable, events: EventTable) -> list[LogEvent]:
            found = events.of_stream(stream, low, high, backwards=backwards)
            return list(islice(found, most))

        return self.read(work)

    def trim(self, now_ms: int) -> int:
        """Remove what has expired, then the oldest of all while there is more than `max_bytes`; how many events.

        With MOST_TRIMMED or more there may be more to remove: call again.
        """
        removed = 0
        for group in self.read(lambda groups, _: list(groups.all_groups())):
            if group.retention_days:
                removed += self._drain(group, group.cutoff_ms(now_ms), MOST_TRIMMED - removed)
        removed += self._shrink(MOST_TRIMMED - removed)
        if removed < MOST_TRIMMED:
            self._untrimmed = 0
        return removed

    @property
    def is_due_for_trim(self) -> bool:
        """Whether a tenth of what may be kept has come since the last `trim`."""
        return self._untrimmed > self.max_bytes // 10

    def total_bytes(self) -> int:
        """Bytes of all events, as the service counts them."""
        return self.read(lambda groups, _: sum(groups.size(group.id) for group in groups.all_groups()))

    def close(self) -> None:
        """Close; safe to call twice."""
        self._transactions.close()

    def _write(self, work: Callable[[GroupTable, EventTable], Result]) -> Result:
        with self._transactions.write() as transaction:
            tables = self._transactions.tables
            return work(GroupTable(transaction, tables), EventTable(transaction, tables))

    def _add(self, groups: GroupTable, events: EventTable, stream: LogStream, lines: Lines, now_ms: int) -> None:
        first = groups.reserve(b"sequence", len(lines))
        size = events.add(stream, lines, first, now_ms)
        groups.add_size(stream.group_id, size)
        self._untrimmed += size

    def _drain(self, group: LogGroup, cutoff_ms: int, most: int) -> int:
        total = 0
        while total < most and (removed := self._drop_chunk(group, cutoff_ms)):
            total += removed
            if removed < CHUNK:
                break
        return total

    def _drop_chunk(self, group: LogGroup, cutoff_ms: int, enough: int = keys.LAST) -> int:
        return self._write(lambda groups, events: _remove_oldest(groups, events, group, cutoff_ms, enough))

    def _shrink(self, most: int) -> int:
        """Take from the group with the oldest event, down to 9 tenths of the limit."""
        if not self._shrinking and self.total_bytes() <= self.max_bytes:
            return 0
        removed = 0
        while (excess := self.total_bytes() - self.max_bytes * 9 // 10) > 0 and removed < most:
            group = self.read(_oldest)
            if group is None:
                break
            removed += self._drop_chunk(group, keys.LAST, excess)
        self._shrinking = excess > 0
        return removed


def _remove(groups: GroupTable, events: EventTable, stream: LogStream) -> None:
    groups.add_size(stream.group_id, -events.remove_stream(stream))
    groups.remove_stream(stream)


def _remove_oldest(groups: GroupTable, events: EventTable, group: LogGroup, cutoff_ms: int, enough: int) -> int:
    """Remove up to a chunk of a group's oldest events, or `enough` bytes, and automatic streams that it empties."""
    removed, touched, freed = events.remove_oldest(group.id, cutoff_ms, CHUNK, enough)
    groups.add_size(group.id, -freed)
    emptied = {stream_id for stream_id in touched if events.is_empty(stream_id)}
    if emptied:
        for stream in [stream for stream in groups.streams(group.id) if stream.id in emptied and stream.automatic]:
            groups.remove_stream(stream)
    return removed


def _oldest(groups: GroupTable, events: EventTable) -> LogGroup | None:
    """The group that has the oldest event."""
    firsts = [(first, group.id, group) for group in groups.all_groups() if (first := events.first(group.id))]
    return min(firsts)[2] if firsts else None
