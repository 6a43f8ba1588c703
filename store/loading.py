"""Checks on encoded events that come from elsewhere: they must be exactly what appending them would have written."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from relambda.store import keys
from relambda.store.catalog import Catalog
from relambda.store.codec import decode, encode
from relambda.store.errors import CorruptStoreError

CHUNK_RECORDS = 2000
CHUNK_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LoadedEvent:
    """A record that passed, and where it belongs."""

    position: int
    stream: bytes
    version: int
    record: bytes


class RecordChecker:
    """Follows records from the first on; remembers versions of streams and first positions of types. For one thread."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.head = 0
        self.versions: dict[bytes, int] = {}
        self.types: dict[bytes, int] = {}

    def check(self, record: bytes) -> LoadedEvent:
        """The next record's place; CorruptStoreError or UnknownEventTypeError when it must not be written."""
        event = decode(record)
        self._catalog.check_held([(event.type, event.type_version)], "the records to load")
        try:
            stream, same = keys.name(event.stream, "stream"), encode(event) == record
            type_key = keys.event_type(event.type, event.type_version)
        except ValueError as error:
            raise CorruptStoreError(f"the record at position {event.position} is no event of a log: {error}") from error
        if not same:
            raise CorruptStoreError(f"the record at position {event.position} is not encoded as the log encodes")
        self._follow(event.position, stream, event.version)
        self.types.setdefault(type_key, event.position)
        return LoadedEvent(event.position, stream, event.version, record)

    def chunks(self, records: Iterable[bytes]) -> Iterator[list[LoadedEvent]]:
        """Checked records in lists that one transaction takes with ease."""
        chunk: list[LoadedEvent] = []
        size = 0
        for record in records:
            chunk.append(self.check(record))
            size += len(record)
            if len(chunk) >= CHUNK_RECORDS or size >= CHUNK_BYTES:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    def _follow(self, position: int, stream: bytes, version: int) -> None:
        expected = self.versions.get(stream, 0) + 1
        if position != self.head + 1:
            raise CorruptStoreError(f"position {position} follows {self.head} in the records to load; one is missing")
        if version != expected:
            raise CorruptStoreError(f"stream {stream!r} goes to version {version} where {expected} comes next")
        self.head = position
        self.versions[stream] = version
