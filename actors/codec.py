"""Between the domain's dataclasses and the store's bytes: events, rows of views, checkpoints."""

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, TypeVar

import msgspec

from relambda.actors import domain
from relambda.actors.domain.decider import EVENT_TYPES, EVENT_VERSIONS, UPCASTERS, Event, ViewRow
from relambda.store.interface import EventTypes
from relambda.store.records import NewEvent, RecordedEvent, Row

T = TypeVar("T")

_NAMES: dict[type[Event], str] = {}


def event_types() -> EventTypes:
    """The event types of this release, for the store to know; the whole domain is loaded for it."""
    domain.load()
    return EventTypes(versions=EVENT_VERSIONS, upcasters=UPCASTERS)


def views_tag() -> str:
    """A tag of the code that makes rows: other rows need another number here."""
    return "views-4"


def to_record(happened: Event) -> NewEvent:
    """An event as the store takes it; its time is the record's own."""
    name = _name(type(happened))
    data: dict[str, Any] = msgspec.to_builtins(happened)
    return NewEvent(name, data, data.pop("at_ms"), EVENT_VERSIONS[name])


def from_record(record: RecordedEvent) -> Event:
    """An event as the log holds it."""
    return msgspec.convert({**record.data, "at_ms": record.at_ms}, EVENT_TYPES[record.type])


def _name(cls: type[Event]) -> str:
    if not _NAMES:
        _NAMES.update({known: name for name, known in EVENT_TYPES.items()})
    return _NAMES[cls]


def to_row(row: ViewRow) -> Row:
    """A row of a view: JSON documents as JSON, so that lists can be answered from bytes; dataclasses as msgpack."""
    if row.value is None:
        return Row(row.table, row.key, None)
    encode = msgspec.json.encode if isinstance(row.value, Mapping) else msgspec.msgpack.encode
    return Row(row.table, row.key, encode(row.value))


def to_rows(rows: Iterable[ViewRow]) -> tuple[Row, ...]:
    """Rows of views in the order they were given."""
    return tuple(to_row(row) for row in rows)


@cache
def _decoder(cls: type[Any]) -> "msgspec.msgpack.Decoder[Any]":
    return msgspec.msgpack.Decoder(cls)


def from_row(cls: type[T], value: bytes) -> T:
    """A dataclass from a row's bytes."""
    decoded: T = _decoder(cls).decode(value)  # type: ignore[arg-type]
    return decoded


def document(value: bytes) -> dict[str, Any]:
    """A JSON document from a row's bytes."""
    decoded: dict[str, Any] = msgspec.json.decode(value)
    return decoded


@cache
def state_tag(cls: type[Any]) -> str:
    """A tag of a state's shape: a checkpoint of another shape is of no use."""
    shape = repr(msgspec.json.schema_components([cls])[1])
    return hashlib.sha256(shape.encode()).hexdigest()[:16]


def to_checkpoint(state: Any) -> bytes:
    """A state in bytes."""
    return msgspec.msgpack.encode(state)
