"""Reads of the log in pages: each page is one short transaction, so no reader ever holds the map or old pages."""

from collections.abc import Callable, Iterator

from relambda.store import keys
from relambda.store.codec import decode, place
from relambda.store.environment import Environment
from relambda.store.errors import CorruptStoreError
from relambda.store.records import RecordedEvent
from relambda.store.tables import Tables, Transaction

PAGE_RECORDS = 512
PAGE_BYTES = 1024 * 1024

Page = list[tuple[int, bytes]]
"""Numbers (positions, or versions of one stream) with their records."""


def records(environment: Environment, after: int, head: int) -> Iterator[tuple[int, bytes]]:
    """Positions past `after` up to `head`, with their records."""

    def read(transaction: Transaction, tables: Tables, first: int) -> Page:
        cursor = transaction.cursor(db=tables.events)
        page: Page = []
        size = 0
        held = cursor.set_range(keys.number(first))
        while held and len(page) < PAGE_RECORDS and size < PAGE_BYTES:
            page.append((keys.value_of(cursor.key()), cursor.value()))
            size += len(page[-1][1])
            held = cursor.next()
        return page

    return _paged(environment, read, after, head)


def stream_records(environment: Environment, stream: bytes, after: int, version: int) -> Iterator[tuple[int, bytes]]:
    """Versions of a stream past `after` up to `version`, with their records."""

    def read(transaction: Transaction, tables: Tables, first: int) -> Page:
        page: Page = []
        size = 0
        for number in range(first, min(first + PAGE_RECORDS, version + 1)):
            place = transaction.get(keys.in_stream(stream, number), db=tables.index)
            record = None if place is None else transaction.get(place, db=tables.events)
            if record is None or size >= PAGE_BYTES:
                break
            page.append((number, record))
            size += len(record)
        return page

    return _paged(environment, read, after, version)


def names(environment: Environment, prefix: bytes) -> Iterator[str]:
    """Names of streams that begin with `prefix`, a page at a time."""
    past = b""
    while page := _names_page(environment, prefix, past):
        yield from (name.decode() for name in page)
        past = page[-1]


def checked(number: int, record: bytes, *, of_stream: bool) -> RecordedEvent:
    """Decode a record; CorruptStoreError when it is damaged, or is not the one that belongs there."""
    event = decode(record)
    if number != (event.version if of_stream else event.position):
        raise CorruptStoreError(f"the event at position {event.position} lies where {number} belongs")
    return event


def intact(position: int, record: bytes) -> bytes:
    """The record itself; CorruptStoreError when it is damaged, or is not the one that belongs there."""
    if place(record)[0] != position:
        raise CorruptStoreError(f"the record at position {position} is another's")
    return record


def _paged(
    environment: Environment, read: Callable[[Transaction, Tables, int], Page], after: int, last: int
) -> Iterator[tuple[int, bytes]]:
    number = max(after, 0)
    while number < last:
        with environment.read() as (transaction, tables):
            page = read(transaction, tables, number + 1)
        for found, record in page:
            if found != number + 1:
                break
            number = found
            yield found, record
            if number == last:
                return
        if not page or number < page[-1][0]:
            raise CorruptStoreError(f"number {number + 1} is missing from the log, which goes to {last}")


def _names_page(environment: Environment, prefix: bytes, past: bytes) -> list[bytes]:
    page: list[bytes] = []
    with environment.read() as (transaction, tables):
        cursor = transaction.cursor(db=tables.index)
        start = max(prefix, keys.past_stream(past) if past else b"")
        held = cursor.set_range(start) if start else cursor.first()
        while held and cursor.key().startswith(prefix) and len(page) < PAGE_RECORDS:
            page.append(keys.stream_of(cursor.key()))
            held = cursor.set_range(keys.past_stream(page[-1]))
    return page
