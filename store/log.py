"""The store on disk: an event log in LMDB that one process opens, with one committer thread."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Self, TypeVar

from relambda.store import checkpoints, keys, reading, views
from relambda.store.batch import Batch, last_position, version_of
from relambda.store.catalog import Catalog
from relambda.store.committer import Committer
from relambda.store.environment import Environment
from relambda.store.errors import StoreBusyError, StoreError
from relambda.store.format import FormatFile
from relambda.store.interface import EventTypes
from relambda.store.job import Job
from relambda.store.load import Load
from relambda.store.loading import RecordChecker
from relambda.store.opening import LOG_FORMAT, check_before_opening
from relambda.store.prepared import PreparedRow, check_checkpoint, prepare, row_chunks, rows_size
from relambda.store.records import Append, Appended, Checkpoint, RecordedEvent, Row

Result = TypeVar("Result")

INITIAL_MAP_BYTES = 64 * 1024 * 1024
MAX_MAP_BYTES = 1 << 40
QUEUE_LIMIT = 10_000
WRITE_SECONDS = 120.0
"""How long `load` and `replace_views` wait for one of their bounded transactions."""


class LmdbStore:
    """Implements `Store`; made by `open`. The owner holds the `StateLock` and calls `close`."""

    def __init__(self, environment: Environment, catalog: Catalog, committer: Committer) -> None:
        self._environment, self._catalog, self._committer = environment, catalog, committer
        self._closing = threading.Lock()

    @classmethod
    def open(
        cls,
        directory: Path,
        types: EventTypes,
        *,
        power_safe: bool = False,
        initial_map_bytes: int = INITIAL_MAP_BYTES,
        max_map_bytes: int = MAX_MAP_BYTES,
        queue_limit: int = QUEUE_LIMIT,
    ) -> Self:
        """Open the log in `directory`, or make one; never before a fork.

        With `power_safe` an acknowledged append survives a power cut; without, a power cut may undo the very last
        transaction, and a killed process still loses nothing. Raises NewerFormatError, CorruptStoreError or
        UnknownEventTypeError with every file left as it was, StoreFullError when there is no room to make one.
        """
        catalog = Catalog(types)
        finished = check_before_opening(directory, catalog)
        environment = Environment(
            directory, map_bytes=initial_map_bytes, max_map_bytes=max_map_bytes, power_safe=power_safe
        )
        if not finished:
            FormatFile(directory, LOG_FORMAT).write()
        return cls(environment, catalog, Committer(environment, queue_limit))

    def append(self, append: Append) -> Future[Appended]:
        """See `Store.append`; an append that can never be written raises ValueError or UnknownEventTypeError here."""
        prepared = prepare(append, self._catalog)
        return self._submit(Job(lambda batch: batch.append(prepared), prepared.size))

    def read_stream(self, stream: str, after: int = 0) -> Iterator[RecordedEvent]:
        """See `Store.read_stream`; ends at the version the stream had when it was called."""
        key = keys.search_key(stream)
        found = reading.stream_records(self._environment, key, after, self.version(stream))
        return (self._catalog.current(reading.checked(n, record, of_stream=True)) for n, record in found)

    def read_all(self, after: int = 0) -> Iterator[RecordedEvent]:
        """See `Store.read_all`."""
        found = reading.records(self._environment, after, self.head())
        return (self._catalog.current(reading.checked(n, record, of_stream=False)) for n, record in found)

    def head(self) -> int:
        """See `Store.head`."""
        with self._environment.read() as (transaction, tables):
            return last_position(transaction, tables)

    def version(self, stream: str) -> int:
        """See `Store.version`."""
        key = keys.search_key(stream)
        with self._environment.read() as (transaction, tables):
            return version_of(transaction, tables, key)

    def streams(self, prefix: str = "") -> Iterator[str]:
        """See `Store.streams`."""
        self.head()
        return reading.names(self._environment, prefix.encode())

    def row(self, table: str, key: str) -> bytes | None:
        """See `Store.row`."""
        with self._environment.read() as (transaction, tables):
            return views.read(transaction, tables, table, key)

    def rows(self, table: str, prefix: str = "", after: str = "", limit: int = 1000) -> list[tuple[str, bytes]]:
        """See `Store.rows`."""
        with self._environment.read() as (transaction, tables):
            return views.page(transaction, tables, table, prefix, after, limit)

    def count(self, table: str, prefix: str = "") -> int:
        """See `Store.count`."""
        with self._environment.read() as (transaction, tables):
            return views.count(transaction, tables, table, prefix)

    def records(self, after: int = 0) -> Iterator[bytes]:
        """See `Store.records`; a damaged record raises CorruptStoreError and is never handed out."""
        found = reading.records(self._environment, after, self.head())
        return (reading.intact(n, record) for n, record in found)

    def load(self, records: Iterable[bytes]) -> int:
        """See `Store.load`; StoreError when the log is not empty."""
        return Load(self._environment, RecordChecker(self._catalog), self._run).load(records)

    def views_tag(self) -> str:
        """See `Store.views_tag`."""
        with self._environment.read() as (transaction, tables):
            return views.tag(transaction, tables)

    def replace_views(self, tag: str, rows: Iterable[Row]) -> None:
        """See `Store.replace_views`; appends must wait until it returns."""
        self._run(lambda batch: views.clear(batch.transaction, batch.tables))
        for chunk in row_chunks(rows):
            self._run(_writing(chunk), rows_size(chunk))
        self._run(lambda batch: views.set_tag(batch.transaction, batch.tables, tag))

    def checkpoint(self, stream: str, tag: str) -> Checkpoint | None:
        """See `Store.checkpoint`."""
        key = keys.search_key(stream)
        with self._environment.read() as (transaction, tables):
            return checkpoints.read(transaction, tables, key, tag)

    def save_checkpoint(self, stream: str, checkpoint: Checkpoint) -> None:
        """See `Store.save_checkpoint`; dropped when it is ahead of its stream, or when the queue is at its limit."""
        key = check_checkpoint(stream, checkpoint)
        size = len(checkpoint.state)
        with suppress(StoreBusyError):
            self._submit(Job(lambda batch: batch.save_checkpoint(key, checkpoint), size))

    def close(self, timeout: float = 10.0) -> None:
        """See `Store.close`; StoreError when a flush to the disk hangs beyond it, and the log stays open then."""
        with self._closing:
            if not self._committer.close(timeout):
                raise StoreError(f"the disk did not finish a write within {timeout} s; the log was left open")
            self._environment.close()

    def _run(self, work: Callable[[Batch], Result], size: int = 0) -> Result:
        return self._submit(Job(work, size, alone=True)).result(WRITE_SECONDS)

    def _submit(self, job: Job[Result]) -> Future[Result]:
        self._environment.check_process()
        self._committer.submit(job)
        return job.future


def _writing(rows: tuple[PreparedRow, ...]) -> Callable[[Batch], None]:
    return lambda batch: views.write(batch.transaction, batch.tables, rows)
