"""A load beside the life of a store: readers see nothing or all, and no acknowledged append is ever lost."""

from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import crc32

import msgpack
import pytest

from relambda.store.codec import Body, decode, encode, seal
from relambda.store.errors import CorruptStoreError, StoreError, UnknownEventTypeError
from relambda.store.interface import EventTypes
from relambda.store.log import LmdbStore
from relambda.store.memory import MemoryStore
from relambda.store.records import Append, Appended, NewEvent, RecordedEvent

Open = Callable[..., LmdbStore]
AppendTo = Callable[..., Appended]


def records(many: int, size: int = 1) -> Iterator[bytes]:
    for number in range(1, many + 1):
        yield encode(RecordedEvent(number, "a", number, "Made", 1, 1, {"x": bytes(size)}))


def test_readers_see_nothing_until_all_is_there(open_store: Open) -> None:
    """While records are still coming, in many transactions, the log is empty to every reader."""
    store, seen = open_store(), list[tuple[int, list[str]]]()

    def coming() -> Iterator[bytes]:
        for record in records(20, 1_000_000):
            seen.append((store.head(), list(store.streams())))
            yield record

    assert store.load(coming()) == 20
    assert set(map(str, seen)) == {"(0, [])"}
    assert store.head() == 20


def test_an_append_during_a_load_is_kept_and_the_load_refused(open_store: Open, append: AppendTo) -> None:
    """What was acknowledged while records were coming stays, so the load fails instead of hiding it."""
    store = open_store()

    def coming() -> Iterator[bytes]:
        for number, record in enumerate(records(20, 1_000_000)):
            if number == 10:
                append(store, "mine", 0)
            yield record

    with pytest.raises(StoreError, match="empty log only"):
        store.load(coming())
    assert (store.head(), list(store.streams())) == (1, ["mine"])


def test_a_loaded_log_is_there_after_opening_again(open_store: Open, append: AppendTo, tmp_path: Path) -> None:
    """The swap to the loaded log is durable, and so is what is appended right after it."""
    store = open_store()
    store.load(records(3000))
    append(store, "a", 3000)
    store.close()
    again = open_store(tmp_path / "log")
    assert (again.head(), again.version("a"), len(list(again.read_stream("a", 2990)))) == (3001, 3001, 11)


def test_loaded_types_are_known_at_the_next_opening(open_store: Open, tmp_path: Path) -> None:
    """A loaded log is checked for unknown types like one that was appended."""
    store = open_store()
    store.load(records(3))
    store.close()
    with pytest.raises(UnknownEventTypeError):
        LmdbStore.open(tmp_path / "log", EventTypes({}, {}))


@pytest.mark.parametrize("kind", ["lmdb", "memory"])
def test_records_of_unknown_types_are_refused(open_store: Open, types: EventTypes, kind: str) -> None:
    """A log with types of a newer release is not loaded, not even in part."""
    store = open_store() if kind == "lmdb" else MemoryStore(types)
    other = encode(RecordedEvent(2, "a", 2, "Unheard", 1, 1, {}))
    with pytest.raises(UnknownEventTypeError, match="Unheard version 1"):
        store.load([*records(1), other])
    assert store.head() == 0


@pytest.mark.parametrize("kind", ["lmdb", "memory"])
@pytest.mark.parametrize(
    "body",
    [
        b"\x95\xa1a\xa4Made\x01\x01\x82\xa1b\x01\xa1b\x02",  # {"b": 1, "b": 2}
        msgpack.packb(["a", "Made", 1, 1, {"when": msgpack.Timestamp(1)}]),
        msgpack.packb(["a\0b", "Made", 1, 1, {}]),
        msgpack.packb(["", "Made", 1, 1, {}]),
        msgpack.packb(["a", "Made", 1, 1, {"x": 1.5}], use_single_float=True),
    ],
)
def test_only_what_an_append_could_have_written_is_loaded(
    open_store: Open, types: EventTypes, kind: str, body: bytes
) -> None:
    """Records made by hand, with a right checksum and otherwise encoded, are refused."""
    store = open_store() if kind == "lmdb" else MemoryStore(types)
    with pytest.raises(CorruptStoreError):
        store.load([seal(Body(body, crc32(body)), 1, 1)])
    assert store.head() == 0


def test_versions_of_a_stream_may_not_have_gaps(open_store: Open) -> None:
    """A stream whose version jumps is refused though positions have no gap."""
    jump = encode(RecordedEvent(2, "a", 3, "Made", 1, 1, {}))
    with pytest.raises(CorruptStoreError, match="version 3 where 2"):
        open_store().load([*records(1), jump])


def test_an_append_gives_the_records_a_load_takes(open_store: Open, types: EventTypes) -> None:
    """The twin in memory and the store on disk write the same bytes for the same appends."""
    stores = (open_store(), MemoryStore(types))
    for store in stores:
        for stream, version in (("a", 0), ("b", 0), ("a", 1)):
            store.append(Append(stream, version, (NewEvent("Made", {"b": 1, "a": [2]}, 9),))).result(60)
    first, second = (list(store.records()) for store in stores)
    assert first == second
    assert [decode(record).position for record in first] == [1, 2, 3]
