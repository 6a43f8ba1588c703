"""The in-memory twin of the store: the same promises, the same checks and the same bytes, for tests and trials."""

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future

from relambda.store import keys
from relambda.store.catalog import Catalog
from relambda.store.codec import decode, seal
from relambda.store.errors import StoreClosedError, StoreError, VersionConflictError
from relambda.store.interface import EventTypes
from relambda.store.loading import LoadedEvent, RecordChecker
from relambda.store.prepared import PreparedAppend, PreparedRow, check_checkpoint, prepare, row_chunks
from relambda.store.records import Append, Appended, Checkpoint, RecordedEvent, Row


class MemoryStore:
    """Implements `Store`; every future is done when it is returned, and nothing outlives the process."""

    def __init__(self, types: EventTypes) -> None:
        self._catalog = Catalog(types)
        self._lock = threading.Lock()
        self._records: list[bytes] = []
        self._streams: dict[bytes, list[int]] = {}
        self._rows: dict[bytes, bytes] = {}
        self._checkpoints: dict[bytes, Checkpoint] = {}
        self._tag = ""
        self._closed = False

    def append(self, append: Append) -> Future[Appended]:
        """See `Store.append`; an append that can never be written raises ValueError or UnknownEventTypeError here."""
        prepared = prepare(append, self._catalog)
        future: Future[Appended] = Future()
        with self._lock:
            self._check_open()
            try:
                future.set_result(self._write(prepared))
            except VersionConflictError as refused:
                future.set_exception(refused)
        return future

    def read_stream(self, stream: str, after: int = 0) -> Iterator[RecordedEvent]:
        """See `Store.read_stream`."""
        with self._lock:
            self._check_open()
            positions = self._streams.get(keys.search_key(stream), [])[max(after, 0) :]
            found = [self._records[position - 1] for position in positions]
        return (self._catalog.current(decode(record)) for record in found)

    def read_all(self, after: int = 0) -> Iterator[RecordedEvent]:
        """See `Store.read_all`."""
        return (self._catalog.current(decode(record)) for record in self.records(after))

    def head(self) -> int:
        """See `Store.head`."""
        with self._lock:
            self._check_open()
            return len(self._records)

    def version(self, stream: str) -> int:
        """See `Store.version`."""
        with self._lock:
            self._check_open()
            return len(self._streams.get(keys.search_key(stream), []))

    def streams(self, prefix: str = "") -> Iterator[str]:
        """See `Store.streams`."""
        start = prefix.encode()
        with self._lock:
            self._check_open()
            found = sorted(stream for stream in self._streams if stream.startswith(start))
        return (stream.decode() for stream in found)

    def row(self, table: str, key: str) -> bytes | None:
        """See `Store.row`."""
        found = keys.table_start(table) + key.encode()
        with self._lock:
            self._check_open()
            return self._rows.get(found)

    def rows(self, table: str, prefix: str = "", after: str = "", limit: int = 1000) -> list[tuple[str, bytes]]:
        """See `Store.rows`."""
        table_start = keys.table_start(table)
        start, past = table_start + prefix.encode(), table_start + after.encode()
        with self._lock:
            self._check_open()
            found = sorted(item for item in self._rows.items() if item[0].startswith(start) and item[0] > past)
        return [(key[len(table_start) :].decode(), value) for key, value in found[: max(limit, 0)]]

    def count(self, table: str, prefix: str = "") -> int:
        """See `Store.count`."""
        start = keys.table_start(table) + prefix.encode()
        with self._lock:
            self._check_open()
            return sum(key.startswith(start) for key in self._rows)

    def records(self, after: int = 0) -> Iterator[bytes]:
        """See `Store.records`."""
        with self._lock:
            self._check_open()
            return iter(self._records[max(after, 0) :])

    def load(self, records: Iterable[bytes]) -> int:
        """See `Store.load`; StoreError when the log is not empty."""
        self._check_empty()
        checker = RecordChecker(self._catalog)
        loaded = [event for chunk in checker.chunks(records) for event in chunk]
        with self._lock:
            self._check_open()
            self._check_empty_locked()
            self._take(loaded)
        return checker.head

    def views_tag(self) -> str:
        """See `Store.views_tag`."""
        with self._lock:
            self._check_open()
            return self._tag

    def replace_views(self, tag: str, rows: Iterable[Row]) -> None:
        """See `Store.replace_views`."""
        with self._lock:
            self._check_open()
            self._rows, self._tag = {}, ""
        for chunk in row_chunks(rows):
            with self._lock:
                self._write_rows(chunk)
        with self._lock:
            self._tag = tag

    def checkpoint(self, stream: str, tag: str) -> Checkpoint | None:
        """See `Store.checkpoint`."""
        with self._lock:
            self._check_open()
            found = self._checkpoints.get(keys.search_key(stream))
        return found if found is not None and found.tag == tag else None

    def save_checkpoint(self, stream: str, checkpoint: Checkpoint) -> None:
        """See `Store.save_checkpoint`; one that is ahead of its stream is dropped."""
        key = check_checkpoint(stream, checkpoint)
        with self._lock:
            self._check_open()
            if checkpoint.version <= len(self._streams.get(key, [])):
                self._checkpoints[key] = checkpoint

    def close(self, timeout: float = 10.0) -> None:  # noqa: ARG002 - the interface's; nothing is queued here
        """See `Store.close`."""
        with self._lock:
            self._closed = True

    def _write(self, append: PreparedAppend) -> Appended:
        places = self._streams.get(append.stream_key, [])
        if len(places) != append.expected_version:
            raise VersionConflictError(append.stream, append.expected_version, len(places))
        for event in append.events:
            position = len(self._records) + 1
            self._records.append(seal(event.body, position, len(places) + 1))
            places.append(position)
        if places:
            self._streams[append.stream_key] = places
        self._write_rows(append.rows)
        return Appended(len(places), len(self._records))

    def _write_rows(self, rows: Iterable[PreparedRow]) -> None:
        for row in rows:
            if row.value is None:
                self._rows.pop(row.key, None)
            else:
                self._rows[row.key] = row.value

    def _take(self, loaded: list[LoadedEvent]) -> None:
        self._tag = ""
        for event in loaded:
            self._records.append(event.record)
            self._streams.setdefault(event.stream, []).append(event.position)

    def _check_empty(self) -> None:
        with self._lock:
            self._check_open()
            self._check_empty_locked()

    def _check_empty_locked(self) -> None:
        if self._records:
            raise StoreError(
                f"records are loaded into an empty log only, and this one is at position {len(self._records)}"
            )

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosedError("the store is closed; open it again")
