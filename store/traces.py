"""Segments of traces: kept beside the event log in a database of their own, bounded in bytes and age.

They tell what happened on this machine, so they are no part of pods, and a damaged database is put aside rather than
keeping a cloud from its start. SQLite, since segments are asked for by trace, by time and by owner alike.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from relambda.store.errors import StoreError, StoreFullError

_log = logging.getLogger(__name__)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS segments (
    trace TEXT NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL, document BLOB NOT NULL, kept_ms INTEGER NOT NULL,
    PRIMARY KEY (trace, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_age ON segments (kept_ms);
"""
_BUSY_SECONDS = 5.0
_DELETE_OLDEST = """
DELETE FROM segments WHERE (trace, id) IN (
    SELECT trace, id FROM (
        SELECT trace, id, sum(length(document)) OVER (ORDER BY kept_ms, trace, id) - length(document) AS older
        FROM segments
    ) WHERE older < ?
)
"""
"""The oldest segments that hold at least so many bytes together, and no more of them."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment document, or a subsegment that was sent by itself.

    `owner` is the account and region whose it is, "" when whoever sent it did not say: then it belongs to those who
    own the rest of its trace.
    """

    trace: str
    id: str
    owner: str
    document: bytes


class Kept(NamedTuple):
    """When the latest of a trace's segments came, in milliseconds since the epoch, and the trace's id."""

    at_ms: int
    trace: str


class TraceStore:
    """May be used from any thread. Every method raises StoreError; a full disk loses nothing that is kept already."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        """Open, or make, the database; past `max_bytes` of documents `trim` removes the oldest."""
        self._path, self._max_bytes = path, max_bytes
        self._untrimmed = 0
        self._lock = threading.Lock()
        try:
            self._database = self._open()
        except sqlite3.DatabaseError as error:
            _log.error("%s is damaged (%s): it is put aside, and traces begin anew", path, error)
            path.rename(path.with_name(f"{path.name}-damaged-{int(time.time())}"))
            self._database = self._open()

    def put(self, segments: Iterable[Segment], now_ms: int) -> None:
        """Keep segments; one with the id of another of its trace takes its place, as X-Ray has it."""
        rows = [(each.trace, each.id, each.owner, each.document, now_ms) for each in segments]
        with self._lock, self._translated(), self._database:
            self._database.executemany("INSERT OR REPLACE INTO segments VALUES (?, ?, ?, ?, ?)", rows)
            self._untrimmed += sum(len(document) for _, _, _, document, _ in rows)

    def segments(self, trace: str, owner: str) -> list[Segment]:
        """A trace's segments as its owner sees them, in the order of their ids; none when it is somebody else's."""
        query = "SELECT trace, id, owner, document FROM segments WHERE trace = ? ORDER BY id"
        with self._lock, self._translated():
            found = [Segment(*row) for row in self._database.execute(query, (trace,))]
        owners = {each.owner for each in found} - {""}
        return [each for each in found if each.owner in {"", owner}] if owner in owners or not owners else []

    def traces(self, first: str, last: str, limit: int, owner: str = "") -> Sequence[str]:
        """Ids of traces from `first` to below `last`, those that begin last in front, of an owner or of nobody."""
        query = """SELECT DISTINCT trace FROM segments WHERE trace >= ? AND trace < ? AND owner IN ('', ?)
            ORDER BY trace DESC LIMIT ?"""
        with self._lock, self._translated():
            return [str(row[0]) for row in self._database.execute(query, (first, last, owner, limit))]

    def kept(self, since_ms: int, until: "Kept", limit: int, owner: str = "") -> "Sequence[Kept]":
        """Traces of which a segment came from a time on and before `until`, those with the latest one in front."""
        query = """SELECT max(kept_ms) AS kept, trace FROM segments WHERE kept_ms >= ? AND kept_ms <= ?
            AND owner IN ('', ?) GROUP BY trace HAVING (kept, trace) < (?, ?) ORDER BY kept DESC, trace DESC LIMIT ?"""
        given = (since_ms, until.at_ms, owner, until.at_ms, until.trace, limit)
        with self._lock, self._translated():
            return [Kept(int(row[0]), str(row[1])) for row in self._database.execute(query, given)]

    def trim(self, before_ms: int) -> int:
        """Remove what was kept before a time, and past the bound the oldest, a tenth of it; how many segments."""
        with self._lock, self._translated(), self._database:
            self._untrimmed = 0
            removed = self._database.execute("DELETE FROM segments WHERE kept_ms < ?", (before_ms,)).rowcount
            size = self._bytes()
            if size > self._max_bytes:
                removed += self._database.execute(_DELETE_OLDEST, (size - self._max_bytes * 9 // 10,)).rowcount
        return removed

    @property
    def is_due_for_trim(self) -> bool:
        """Whether a tenth of what may be kept has come since the last `trim`."""
        return self._untrimmed > self._max_bytes // 10

    def close(self) -> None:
        """Close the database; safe to call twice."""
        with self._lock:
            self._database.close()

    def _bytes(self) -> int:
        (size,) = self._database.execute("SELECT coalesce(sum(length(document)), 0) FROM segments").fetchone()
        return int(size)

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, check_same_thread=False)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.executescript(_SCHEMA)
        except BaseException:
            database.close()
            raise
        return database

    def _translated(self) -> "_Translation":
        return _Translation(self._path)


class _Translation:
    """Turns SQLite's errors into the store's."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, sqlite3.OperationalError) and "full" in str(error):
            raise StoreFullError(f"no room for traces in {self._path}: {error}; free some space") from error
        if isinstance(error, sqlite3.Error):
            raise StoreError(f"the traces in {self._path} failed: {error}") from error
