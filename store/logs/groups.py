"""Log groups and streams within one transaction."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import msgpack

from relambda.store.logs import keys
from relambda.store.logs.records import (
    GroupName,
    LogGroup,
    LogGroupNotFoundError,
    LogStream,
    LogStreamNotFoundError,
    Place,
    StreamName,
    StreamSpan,
)
from relambda.store.logs.tables import Database, LogTables, Transaction


class GroupTable:
    """The groups and streams that one transaction sees; for the thread of that transaction."""

    def __init__(self, transaction: Transaction, tables: LogTables) -> None:
        self._transaction, self._tables = transaction, tables

    def group(self, name: GroupName) -> LogGroup:
        """A group. Raises LogGroupNotFoundError."""
        value = self._transaction.get(keys.group_key(name), db=self._tables.groups)
        if value is None:
            raise LogGroupNotFoundError(name.name)
        return LogGroup(**msgpack.unpackb(value))

    def stream(self, group_id: int, name: str) -> LogStream:
        """A stream. Raises LogStreamNotFoundError."""
        value = self._transaction.get(keys.stream_key(group_id, name), db=self._tables.streams)
        if value is None:
            raise LogStreamNotFoundError(name)
        return LogStream(**msgpack.unpackb(value))

    def put_group(self, name: GroupName, group: LogGroup) -> None:
        """Make a group, or put it in the place of what it was."""
        self._transaction.put(keys.group_key(name), msgpack.packb(asdict(group)), db=self._tables.groups)

    def put_stream(self, stream: LogStream) -> None:
        """Make a stream."""
        key = keys.stream_key(stream.group_id, stream.name)
        self._transaction.put(key, msgpack.packb(asdict(stream)), db=self._tables.streams)

    def remove_group(self, name: GroupName) -> None:
        """Forget a group, which has no streams any more."""
        group = self.group(name)
        self._transaction.delete(keys.NUMBER.pack(group.id), db=self._tables.sizes)
        self._transaction.delete(keys.group_key(name), db=self._tables.groups)

    def remove_stream(self, stream: LogStream) -> None:
        """Forget a stream, which has no events any more."""
        self._transaction.delete(keys.stream_key(stream.group_id, stream.name), db=self._tables.streams)

    def ensure(self, name: StreamName, now_ms: int) -> LogStream:
        """A stream, made with its group when they are not there."""
        try:
            group = self.group(name.group)
        except LogGroupNotFoundError:
            group = LogGroup(self.next_id(), name.group.name, now_ms)
            self.put_group(name.group, group)
        try:
            return self.stream(group.id, name.name)
        except LogStreamNotFoundError:
            stream = LogStream(self.next_id(), group.id, name.name, now_ms, automatic=True)
            self.put_stream(stream)
            return stream

    def groups(self, account: str, region: str, prefix: str = "", after: str = "") -> Iterator[LogGroup]:
        """Groups whose names begin with `prefix`, by name, from the one behind `after` on."""
        first = keys.group_key(GroupName(account, region, after))
        for value in self._rows(self._tables.groups, keys.groups_beginning(account, region, prefix), first):
            group = LogGroup(**msgpack.unpackb(value))
            if group.name.startswith(prefix) and group.name != after:
                yield group

    def all_groups(self) -> Iterator[LogGroup]:
        """The groups of all accounts and regions."""
        for value in self._rows(self._tables.groups, b""):
            yield LogGroup(**msgpack.unpackb(value))

    def streams(self, group_id: int, prefix: str = "") -> Iterator[LogStream]:
        """A group's streams whose names begin with `prefix`, by name."""
        for value in self._rows(self._tables.streams, keys.streams_beginning(group_id, prefix)):
            stream = LogStream(**msgpack.unpackb(value))
            if stream.name.startswith(prefix):
                yield stream

    def span(self, stream: LogStream) -> StreamSpan:
        """When a stream's events happened."""
        cursor = self._transaction.cursor(db=self._tables.by_stream)
        first, last = self._edge(cursor, stream.id, last=False), self._edge(cursor, stream.id, last=True)
        if first is None or last is None:
            return StreamSpan(None, None, None)
        value = self._transaction.get(keys.place_key(stream.group_id, last), db=self._tables.events)
        ingested = None if value is None else keys.HEAD.unpack_from(value)[1]
        return StreamSpan(first.at_ms, last.at_ms, ingested)

    def size(self, group_id: int) -> int:
        """Bytes of a group's events."""
        value = self._transaction.get(keys.NUMBER.pack(group_id), db=self._tables.sizes)
        return 0 if value is None else int(keys.NUMBER.unpack(value)[0])

    def add_size(self, group_id: int, size: int) -> None:
        """Count bytes that came, or went when `size` is below 0."""
        new = max(0, self.size(group_id) + size)
        self._transaction.put(keys.NUMBER.pack(group_id), keys.NUMBER.pack(new), db=self._tables.sizes)

    def next_id(self) -> int:
        """An id that no group and no stream ever had."""
        return self.reserve(b"id", 1)

    def reserve(self, counter: bytes, count: int) -> int:
        """The first of `count` numbers that were never given."""
        value = self._transaction.get(counter, db=self._tables.meta)
        last = 0 if value is None else int(keys.NUMBER.unpack(value)[0])
        self._transaction.put(counter, keys.NUMBER.pack(last + count), db=self._tables.meta)
        return last + 1

    def _rows(self, table: Database, prefix: bytes, first: bytes = b"") -> Iterator[bytes]:
        """Values of the keys that begin with `prefix`, from the key `first` on."""
        cursor = self._transaction.cursor(db=table)
        held = cursor.set_range(max(prefix, first)) if prefix else cursor.first()
        while held and cursor.key().startswith(prefix):
            yield cursor.value()
            held = cursor.next()

    def _edge(self, cursor: Any, stream_id: int, *, last: bool) -> Place | None:
        bound = Place(keys.LAST, keys.LAST) if last else Place(0, 0)
        held = cursor.set_range(keys.place_key(stream_id, bound))
        if last:
            held = cursor.prev() if held else cursor.last()
        if not held or not cursor.key().startswith(keys.NUMBER.pack(stream_id)):
            return None
        return keys.place_of(cursor.key())
