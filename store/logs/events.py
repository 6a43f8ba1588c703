"""Log events within one transaction: added in batches, read forwards and backwards, removed from their oldest on."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, repeat
from typing import TypeAlias

from relambda.store.logs import keys
from relambda.store.logs.records import EVENT_OVERHEAD, LogEvent, LogStream, Place
from relambda.store.logs.tables import Database, LogTables, Transaction

Lines: TypeAlias = "Sequence[tuple[int, str]]"
"""Messages with their times."""

FIRST, LAST = Place(0, 0), Place(keys.LAST, keys.LAST)


class EventTable:
    """The events that one transaction sees; for the thread of that transaction."""

    def __init__(self, transaction: Transaction, tables: LogTables) -> None:
        self._transaction, self._tables = transaction, tables

    def add(self, stream: LogStream, lines: Lines, first_sequence: int, now_ms: int) -> int:
        """Add events to a stream; the bytes they count for."""
        head = keys.HEAD.pack(stream.id, now_ms)
        values = [head + message.encode("utf-8", "replace") for _, message in lines]
        self._put(self._tables.events, stream.group_id, lines, first_sequence, values)
        self._put(self._tables.by_stream, stream.id, lines, first_sequence, repeat(b"", len(lines)))
        return sum(map(len, values)) + (EVENT_OVERHEAD - keys.HEAD.size) * len(values)

    def _put(self, table: Database, owner: int, lines: Lines, first_sequence: int, values: Iterable[bytes]) -> None:
        """One row for each line, in the order of its key where times do not go back."""
        pack = keys.PLACE.pack
        found = [pack(owner, max(0, at), sequence) for sequence, (at, _) in enumerate(lines, first_sequence)]
        self._transaction.cursor(db=table).putmulti(list(zip(found, values, strict=True)))

    def of_group(self, group_id: int, low: Place, high: Place, *, backwards: bool = False) -> Iterator[LogEvent]:
        """A group's events from `low` to `high`, both with them, in order or from the last one back."""
        for key, value in self._range(group_id, low, high, backwards=backwards):
            yield keys.event_of(key, value)

    def of_stream(self, stream: LogStream, low: Place, high: Place, *, backwards: bool = False) -> Iterator[LogEvent]:
        """A stream's events from `low` to `high`, both with them, in order or from the last one back."""
        for place in self._places(stream.id, low, high, backwards=backwards):
            key = keys.place_key(stream.group_id, place)
            value = self._transaction.get(key, db=self._tables.events)
            if value is not None:
                yield keys.event_of(key, value)

    def first(self, group_id: int) -> Place | None:
        """The place of a group's oldest event."""
        return next((keys.place_of(key) for key, _ in self._range(group_id, FIRST, LAST, backwards=False)), None)

    def is_empty(self, stream_id: int) -> bool:
        """Whether a stream has no events."""
        return next(self._places(stream_id, FIRST, LAST, backwards=False), None) is None

    def remove_oldest(self, group_id: int, before_ms: int, most: int, enough: int) -> tuple[int, set[int], int]:
        """Remove up to `most` of a group's events from before a time, or as many as free `enough` bytes.

        How many, of which streams, their bytes.
        """
        streams, count, freed = set[int](), 0, 0
        for key, stream_id, size in list(self._oldest(group_id, before_ms, most, enough)):
            self._transaction.delete(key, db=self._tables.events)
            self._transaction.delete(keys.place_key(stream_id, keys.place_of(key)), db=self._tables.by_stream)
            streams.add(stream_id)
            count, freed = count + 1, freed + size
        return count, streams, freed

    def _oldest(self, group_id: int, before_ms: int, most: int, enough: int) -> Iterator[tuple[bytes, int, int]]:
        """Keys of a group's oldest events, the ids of their streams, and what they count for."""
        rows = self._range(group_id, FIRST, Place(max(0, before_ms - 1), keys.LAST), backwards=False)
        for key, value in islice(rows, most):
            size = len(value) - keys.HEAD.size + EVENT_OVERHEAD
            yield key, keys.HEAD.unpack_from(value)[0], size
            enough -= size
            if enough <= 0:
                return

    def remove_stream(self, stream: LogStream) -> int:
        """Remove all events of a stream; their bytes."""
        freed = 0
        for place in list(self._places(stream.id, FIRST, LAST, backwards=False)):
            key = keys.place_key(stream.group_id, place)
            value = self._transaction.get(key, db=self._tables.events)
            freed += 0 if value is None else len(value) - keys.HEAD.size + EVENT_OVERHEAD
            self._transaction.delete(key, db=self._tables.events)
            self._transaction.delete(keys.place_key(stream.id, place), db=self._tables.by_stream)
        return freed

    def _places(self, stream_id: int, low: Place, high: Place, *, backwards: bool) -> Iterator[Place]:
        for key, _ in self._range(stream_id, low, high, backwards=backwards, by_stream=True):
            yield keys.place_of(key)

    def _range(
        self, owner: int, low: Place, high: Place, *, backwards: bool, by_stream: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        table = self._tables.by_stream if by_stream else self._tables.events
        cursor = self._transaction.cursor(db=table)
        first, last = keys.place_key(owner, low), keys.place_key(owner, high)
        if backwards:
            held = cursor.set_range(last)
            held = cursor.key() == last or cursor.prev() if held else cursor.last()
        else:
            held = cursor.set_range(first)
        while held and first <= cursor.key() <= last:
            yield cursor.key(), cursor.value()
            held = cursor.prev() if backwards else cursor.next()
