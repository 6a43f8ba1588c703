"""What goes into the log and what comes out: events as the store sees them, and rows of views."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Data: TypeAlias = Mapping[str, Any]
"""An event's payload: str keys, msgpack's types as values (None, bool, int, float, str, bytes, list, dict)."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A fact to append: a stable type name, the version of its payload's shape, the payload."""

    type: str
    data: Data
    at_ms: int
    """When it happened, in milliseconds since the epoch; decided by who commands, never by the store."""
    type_version: int = 1


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """A fact as the log holds it; `type_version` and `data` are current (upcasters have run)."""

    position: int
    """Place in the whole log, from 1, without gaps."""
    stream: str
    version: int
    """Place in its stream, from 1, without gaps."""
    type: str
    type_version: int
    at_ms: int
    data: Data


@dataclass(frozen=True, slots=True)
class Row:
    """A change of one row of a view, written in the append's own transaction; `value` None deletes it."""

    table: str
    key: str
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Append:
    """What one append asks for: the events go to `stream` only if it is at `expected_version` then."""

    stream: str
    expected_version: int
    events: tuple[NewEvent, ...]
    rows: tuple[Row, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Appended:
    """Where an append landed: the version its stream has now and the position of its last event."""

    version: int
    position: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folded state of a stream at `version`, kept as a cache; `tag` names the code that folded it."""

    version: int
    tag: str
    state: bytes
