"""One transaction's worth of writes: appends are checked in order against what the batch itself has written."""

from collections.abc import Callable

from relambda.store import checkpoints, keys, views
from relambda.store.codec import seal
from relambda.store.errors import CorruptStoreError, VersionConflictError
from relambda.store.prepared import PreparedAppend
from relambda.store.records import Appended, Checkpoint
from relambda.store.tables import Tables, Transaction


class Batch:
    """Writes jobs into one transaction; a refused append has written nothing. Call `finish` before the commit."""

    def __init__(self, transaction: Transaction, tables: Tables) -> None:
        self.transaction, self.tables = transaction, tables
        self._position = last_position(transaction, tables)
        self._moved: dict[bytes, int] = {}
        self._types: dict[bytes, int] = {}
        self.after_commit: list[Callable[[], None]] = []
        """What the committer's thread does right after the commit, before it takes another job."""

    def append(self, append: PreparedAppend) -> Appended:
        """Write events and rows; VersionConflictError when the stream is elsewhere."""
        version = self.version(append.stream_key)
        if version != append.expected_version:
            raise VersionConflictError(append.stream, append.expected_version, version)
        for event in append.events:
            version += 1
            self._put_event(append.stream_key, version, seal(event.body, self._position + 1, version))
            self._types.setdefault(event.type_key, self._position)
        if append.events:
            self._moved[append.stream_key] = version
        views.write(self.transaction, self.tables, append.rows)
        return Appended(version, self._position)

    def save_checkpoint(self, stream: bytes, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint, unless it is ahead of its stream: then the appends it folded were never written."""
        if checkpoint.version <= self.version(stream):
            checkpoints.write(self.transaction, self.tables, stream, checkpoint)

    def version(self, stream: bytes) -> int:
        """Where a stream is, what this batch wrote included."""
        moved = self._moved.get(stream)
        return version_of(self.transaction, self.tables, stream) if moved is None else moved

    def finish(self) -> None:
        """Write what is kept once a batch: the types that were seen. Those that are known dirty no page."""
        for type_key, position in self._types.items():
            self.transaction.put(type_key, keys.number(position), overwrite=False, db=self.tables.types)

    def _put_event(self, stream: bytes, version: int, record: bytes) -> None:
        self._position += 1
        put_event(self.transaction, self.tables, self._position, stream, version, record)


def put_event(
    transaction: Transaction, tables: Tables, position: int, stream: bytes, version: int, record: bytes
) -> None:
    """Write one record and its place in its stream; CorruptStoreError when it is not past all others."""
    place = keys.number(position)
    if not transaction.put(place, record, append=True, db=tables.events):
        raise CorruptStoreError(f"position {position} is not the next of the log; nothing was written")
    if not transaction.put(keys.in_stream(stream, version), place, overwrite=False, db=tables.index):
        raise CorruptStoreError(f"version {version} of stream {stream!r} is there already; nothing was written")


def last_position(transaction: Transaction, tables: Tables) -> int:
    """Position of the newest event; 0 for an empty log."""
    cursor = transaction.cursor(db=tables.events)
    return keys.value_of(cursor.key()) if cursor.last() else 0


def version_of(transaction: Transaction, tables: Tables, stream: bytes) -> int:
    """Version of a stream; 0 for an unknown one."""
    cursor = transaction.cursor(db=tables.index)
    held = cursor.prev() if cursor.set_range(keys.past_stream(stream)) else cursor.last()
    return keys.version_in(stream, cursor.key()) if held else 0
