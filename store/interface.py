"""The narrow interface that every store keeps: LMDB's (`log`) and the in-memory twin (`memory`)."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from relambda.store.records import Append, Appended, Checkpoint, RecordedEvent, Row


class Upcaster(Protocol):
    """Turns a payload of one version of an event type into the next version's; pure."""

    def __call__(self, data: Mapping[str, Any], /) -> Mapping[str, Any]:
        """Return the payload in the shape of the next version."""
        ...


@dataclass(frozen=True, slots=True)
class EventTypes:
    """The event types a release knows: `versions` names the current version of each.

    `upcasters[(name, v)]` leads from version v to v + 1 and exists for every v below the current one.
    """

    versions: Mapping[str, int]
    upcasters: Mapping[tuple[str, int], Upcaster]


class Store(Protocol):
    """An append-only log of events with per-stream versions, and the views that are written with it.

    Every method may be called from any thread. Reads see all that was acknowledged before they began.
    """

    def append(self, append: Append) -> Future[Appended]:
        """Hand an append to the committer; the future is done once it is durable.

        Appends are committed in the order of the calls; several may share a transaction, and one that is
        refused does not touch the others. The future raises VersionConflictError or StoreFullError. Raises
        StoreBusyError when the queue is at its limit, StoreClosedError after close.
        """
        ...

    def read_stream(self, stream: str, after: int = 0) -> Iterator[RecordedEvent]:
        """Events of one stream in order, those past version `after`; empty for an unknown stream."""
        ...

    def read_all(self, after: int = 0) -> Iterator[RecordedEvent]:
        """Events of the whole log in order, those past position `after`, up to the head when it was called."""
        ...

    def head(self) -> int:
        """The position of the newest event; 0 for an empty log."""
        ...

    def version(self, stream: str) -> int:
        """The version of a stream; 0 for an unknown one."""
        ...

    def streams(self, prefix: str = "") -> Iterator[str]:
        """Names of all streams that begin with `prefix`, in the order of their bytes."""
        ...

    def row(self, table: str, key: str) -> bytes | None:
        """One row of a view, or None."""
        ...

    def rows(self, table: str, prefix: str = "", after: str = "", limit: int = 1000) -> list[tuple[str, bytes]]:
        """Rows whose key begins with `prefix` and is past `after`, at most `limit`, in the order of their bytes."""
        ...

    def count(self, table: str, prefix: str = "") -> int:
        """How many rows of a view have keys that begin with `prefix`."""
        ...

    def records(self, after: int = 0) -> Iterator[bytes]:
        """Encoded events exactly as they lie in the log (no upcasting), in order, from one consistent moment."""
        ...

    def load(self, records: Iterable[bytes]) -> int:
        """Write encoded events, which came from `records`, into an empty log, and return the head.

        All or nothing as seen by readers: positions and stream versions must be without gaps and every type known,
        else it raises CorruptStoreError or UnknownEventTypeError and the log stays empty. Views are left for
        `replace_views`.
        """
        ...

    def views_tag(self) -> str:
        """The tag of the code that made the views; "" when there are none yet (a new or freshly loaded log)."""
        ...

    def replace_views(self, tag: str, rows: Iterable[Row]) -> None:
        """Drop every view and write `rows` in bounded batches; the tag is set last, so a crash repeats it."""
        ...

    def checkpoint(self, stream: str, tag: str) -> Checkpoint | None:
        """The newest checkpoint of a stream that was saved under `tag`, or None: it is only a cache."""
        ...

    def save_checkpoint(self, stream: str, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint in the place of the stream's former one; it may be lost, and is never waited for."""
        ...

    def close(self, timeout: float = 10.0) -> None:
        """Commit what is queued, within `timeout` seconds, then stop the committer; safe to call twice."""
        ...
