"""The map grows when it is full; at its limit the store refuses to write, and reads on."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from relambda.store.errors import StoreFullError
from relambda.store.log import LmdbStore
from relambda.store.records import Append, Appended, NewEvent, Row

Open = Callable[..., LmdbStore]
AppendTo = Callable[..., Appended]


def test_a_tiny_map_grows_with_what_is_appended(open_store: Open, append: AppendTo, tmp_path: Path) -> None:
    """Appends beyond the map's size land as if it had been large, one larger than the whole map among them."""
    store = open_store(initial_map_bytes=1)
    before = (tmp_path / "log" / "data.mdb").stat().st_size
    for version in range(40):
        append(store, "a", version, 30_000)
    append(store, "a", 40, 8_000_000)
    assert [e.version for e in store.read_stream("a")] == list(range(1, 42))
    assert (tmp_path / "log" / "data.mdb").stat().st_size > 8_000_000 > before
    store.close()
    assert len(list(open_store(initial_map_bytes=1).read_all())) == 41


def test_readers_read_on_while_the_map_grows(open_store: Open, append: AppendTo) -> None:
    """The map is moved between reads, never under one; every reader sees what was acknowledged."""
    store = open_store(initial_map_bytes=1)
    append(store, "a", 0)
    done, faults = threading.Event(), list[object]()

    def read() -> None:
        while not done.is_set():
            head = store.head()
            if [e.position for e in store.read_all()][:head] != list(range(1, head + 1)):
                faults.append(head)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    try:
        for version in range(1, 60):
            append(store, "a", version, 60_000)
    finally:
        done.set()
        for reader in readers:
            reader.join(60)
    assert faults == []


def test_at_the_limit_appends_are_refused_and_reads_go_on(open_store: Open, append: AppendTo) -> None:
    """A full map refuses with nothing written; smaller appends and deletions still go through."""
    store = open_store(initial_map_bytes=1 << 20, max_map_bytes=1 << 20)
    append(store, "a", 0, rows=(Row("t", "large", bytes(300_000)),))
    event = NewEvent("Made", {"body": bytes(900_000)}, 1)
    refused = store.append(Append("a", 1, (event,), (Row("t", "k", b"v"),)))
    with pytest.raises(StoreFullError, match="limit of 1048576 bytes"):
        refused.result(60)
    assert (store.head(), store.row("t", "k"), len(list(store.read_all()))) == (1, None, 1)
    assert append(store, "a", 1, rows=(Row("t", "large", None),)) == Appended(2, 2)


def test_a_load_grows_the_map(open_store: Open, append: AppendTo, tmp_path: Path) -> None:
    """A log is loaded into a store whose map is far too small for it."""
    store, other = open_store(), open_store(tmp_path / "other", initial_map_bytes=1)
    for version in range(30):
        append(store, "a", version, 300_000)
    assert other.load(store.records()) == 30
    assert list(other.records()) == list(store.records())
