"""The LMDB environment of the function logs: opened when it is safe to map, put aside when it is damaged."""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import lmdb

from relambda.store.datafile import check_data_file
from relambda.store.durable import FULL_ERRNOS, make_directory, refusal
from relambda.store.errors import CorruptStoreError, StoreError, StoreFullError
from relambda.store.format import FormatFile
from relambda.store.gate import ReadGate

_log = logging.getLogger(__name__)

LOGS_FORMAT = 1
MAX_READERS = 2048
Transaction: TypeAlias = "lmdb.Transaction[bytes]"
Database: TypeAlias = "lmdb._Database"


@dataclass(frozen=True, slots=True)
class LogTables:
    """Handles of the tables; keys and values are told in the module `logs_keys`."""

    groups: Database
    streams: Database
    events: Database
    by_stream: Database
    sizes: Database
    meta: Database


class LogTransactions:
    """Transactions over the tables; reads and writes from any thread, writes one after the other.

    A commit has reached the disk's files when it returns, so it survives the death of the process. Raises StoreError.
    """

    def __init__(self, directory: Path, map_bytes: int) -> None:
        """Open, or make, the logs in `directory`; damaged ones are put aside beside it. Raises StoreError."""
        self._directory, self._gate = directory, ReadGate()
        _put_aside_if_damaged(directory)
        make_directory(directory)
        data = directory / "data.mdb"
        try:
            self._lmdb = lmdb.open(
                str(directory),
                map_size=max(map_bytes, _size(data)),
                max_dbs=8,
                max_readers=MAX_READERS,
                metasync=False,
                max_spare_txns=16,
            )
            self.tables = self._open_tables()
            _stretch(data, self._lmdb.info()["map_size"])
        except lmdb.Error as error:
            raise self._translated(error) from error
        FormatFile(directory, LOGS_FORMAT).write()

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A consistent view of one moment."""
        yield from self._transaction(write=False)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that is committed at its end, or undone by whatever is raised in it."""
        yield from self._transaction(write=True)

    def close(self) -> None:
        """Wait for readers and writers to leave, then close; safe to call twice."""
        if self._gate.shut():
            self._lmdb.close()

    def _transaction(self, *, write: bool) -> Iterator[Transaction]:
        self._gate.enter()
        try:
            with self._lmdb.begin(write=write) as transaction:
                yield transaction
        except lmdb.Error as error:
            raise self._translated(error) from error
        finally:
            self._gate.leave()

    def _open_tables(self) -> LogTables:
        with self._lmdb.begin(write=True) as transaction:
            names = ("groups", "streams", "events", "by_stream", "sizes", "meta")
            return LogTables(*(self._lmdb.open_db(name.encode(), txn=transaction) for name in names))

    def _translated(self, error: lmdb.Error) -> StoreError:
        if isinstance(error, lmdb.MapFullError | lmdb.DiskError) or error.code in FULL_ERRNOS:
            return StoreFullError(f"no room for function logs in {self._directory}: {error}; free some space")
        if isinstance(error, lmdb.CorruptedError | lmdb.PageNotFoundError | lmdb.InvalidError):
            return CorruptStoreError(
                f"the function logs in {self._directory} are damaged: {error}; the next start puts them aside"
            )
        return StoreError(f"the function logs in {self._directory} failed: {error}")


def _put_aside_if_damaged(directory: Path) -> None:
    """Logs must not keep a cloud from its start: damaged ones are renamed, and new ones are begun."""
    data = directory / "data.mdb"
    if not FormatFile(directory, LOGS_FORMAT).check() and not _size(data):
        return
    try:
        check_data_file(data)
    except CorruptStoreError as error:
        aside = directory.with_name(f"{directory.name}-damaged-{int(time.time())}")
        _log.error("%s; the function logs begin anew, the damaged ones are kept in %s", error, aside)
        directory.rename(aside)


def _stretch(data: Path, size: int) -> None:
    """Make the file as long as its map, sparsely, so that "shorter than its pages" always means damage."""
    try:
        if _size(data) < size:
            os.truncate(data, size)
    except OSError as error:
        raise refusal(error, f"growing {data} to {size} bytes") from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
