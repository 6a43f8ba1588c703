"""An append made ready by the thread that asks for it: checked and encoded, so the committer only writes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from relambda.store import keys
from relambda.store.catalog import Catalog
from relambda.store.codec import Body, encode_body
from relambda.store.records import Append, Checkpoint, NewEvent, Row

MAX_APPEND_BYTES = 64 * 1024 * 1024
"""The most that one append may write; the whole of it shares one transaction."""
CHUNK_ROWS = 5000
CHUNK_BYTES = 4 * 1024 * 1024
_OVERHEAD_BYTES = 64


@dataclass(frozen=True, slots=True)
class PreparedEvent:
    """An encoded event without its place, and the key under which its type is counted."""

    type_key: bytes
    body: Body


@dataclass(frozen=True, slots=True)
class PreparedRow:
    """A row of a view with its key as bytes; `value` None deletes it."""

    key: bytes
    value: bytes | None


@dataclass(frozen=True, slots=True)
class PreparedAppend:
    """All that an append writes; `size` is about how many bytes that is."""

    stream: str
    stream_key: bytes
    expected_version: int
    events: tuple[PreparedEvent, ...]
    rows: tuple[PreparedRow, ...]
    size: int


def prepare(append: Append, catalog: Catalog) -> PreparedAppend:
    """Check and encode an append; ValueError or UnknownEventTypeError when it can never be written."""
    if append.expected_version < 0:
        raise ValueError(f"stream {append.stream!r} cannot be at version {append.expected_version}; the first is 0")
    events = tuple(_event(append.stream, event, catalog) for event in append.events)
    rows = prepare_rows(append.rows)
    size = sum(len(e.body.data) + _OVERHEAD_BYTES for e in events) + rows_size(rows)
    if size > MAX_APPEND_BYTES:
        raise ValueError(f"append to {append.stream!r} has {size} bytes, at most {MAX_APPEND_BYTES}; split it")
    return PreparedAppend(
        append.stream, keys.name(append.stream, "stream"), append.expected_version, events, rows, size
    )


def prepare_rows(rows: tuple[Row, ...]) -> tuple[PreparedRow, ...]:
    """Rows with their keys checked; ValueError for a key that LMDB cannot hold."""
    return tuple(PreparedRow(keys.row(row.table, row.key), row.value) for row in rows)


def row_chunks(rows: Iterable[Row]) -> Iterator[tuple[PreparedRow, ...]]:
    """Rows in groups that one transaction takes with ease."""
    chunk: list[PreparedRow] = []
    size = 0
    for row in rows:
        chunk.extend(prepare_rows((row,)))
        size += rows_size(chunk[-1:])
        if len(chunk) >= CHUNK_ROWS or size >= CHUNK_BYTES:
            yield tuple(chunk)
            chunk, size = [], 0
    if chunk:
        yield tuple(chunk)


def rows_size(rows: Sequence[PreparedRow]) -> int:
    """About how many bytes these rows take."""
    return sum(len(row.key) + len(row.value or b"") + _OVERHEAD_BYTES for row in rows)


def check_checkpoint(stream: str, checkpoint: Checkpoint) -> bytes:
    """The key of a stream whose checkpoint can be stored; ValueError when it cannot."""
    if len(checkpoint.state) > MAX_APPEND_BYTES:
        raise ValueError(f"checkpoint of {stream!r} has {len(checkpoint.state)} bytes, at most {MAX_APPEND_BYTES}")
    return keys.name(stream, "stream")


def _event(stream: str, event: NewEvent, catalog: Catalog) -> PreparedEvent:
    catalog.check_new(event)
    return PreparedEvent(keys.event_type(event.type, event.type_version), encode_body(stream, event))
