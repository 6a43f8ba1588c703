"""The conformance suite of `Store`: every store keeps these promises, LMDB's and the in-memory twin alike."""

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from relambda.store.errors import (
    CorruptStoreError,
    StoreClosedError,
    StoreError,
    UnknownEventTypeError,
    VersionConflictError,
)
from relambda.store.interface import EventTypes, Store
from relambda.store.log import LmdbStore
from relambda.store.memory import MemoryStore
from relambda.store.records import Append, Appended, Checkpoint, NewEvent, RecordedEvent, Row

SECONDS = 30


def named(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"name": data["n"]}


def greeted(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**data, "greeting": "hello"}


TYPES = EventTypes({"Made": 1, "Moved": 3}, {("Moved", 1): named, ("Moved", 2): greeted})


@pytest.fixture(params=["lmdb", "memory"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(kind: str, tmp_path: Path) -> Iterator[Store]:
    opened = make(kind, tmp_path / "log")
    yield opened
    opened.close()


@pytest.fixture
def other(kind: str, tmp_path: Path) -> Iterator[Store]:
    opened = make(kind, tmp_path / "other")
    yield opened
    opened.close()


def make(kind: str, directory: Path) -> Store:
    return LmdbStore.open(directory, TYPES) if kind == "lmdb" else MemoryStore(TYPES)


def made(text: str = "x", at_ms: int = 5) -> NewEvent:
    return NewEvent("Made", {"text": text}, at_ms)


def asked(store: Store, stream: str, expected: int, *events: NewEvent, rows: tuple[Row, ...] = ()) -> Future[Appended]:
    return store.append(Append(stream, expected, events, rows))


def appended(store: Store, stream: str, expected: int, *events: NewEvent, rows: tuple[Row, ...] = ()) -> Appended:
    return asked(store, stream, expected, *events, rows=rows).result(SECONDS)


def filled(store: Store) -> None:
    appended(store, "a", 0, made("1"), NewEvent("Moved", {"n": "old"}, 6))
    appended(store, "b", 0, made("2"))
    appended(store, "a", 2, made("3"))


def test_an_append_says_where_it_landed(store: Store) -> None:
    """An append returns its stream's new version and the position of its last event, counted from 1."""
    assert appended(store, "a", 0, made(), made()) == Appended(version=2, position=2)
    assert appended(store, "b", 0, made()) == Appended(version=1, position=3)
    assert appended(store, "a", 2, made()) == Appended(version=3, position=4)
    assert (store.head(), store.version("a"), store.version("b"), store.version("c")) == (4, 3, 1, 0)


def test_a_stream_is_read_in_order_and_from_any_version(store: Store) -> None:
    """A stream's events come back as they were appended, those past `after` only."""
    filled(store)
    found = list(store.read_stream("a"))
    assert [(e.position, e.version, e.data.get("text")) for e in found] == [(1, 1, "1"), (2, 2, None), (4, 3, "3")]
    assert found[0] == RecordedEvent(1, "a", 1, "Made", 1, 5, {"text": "1"})
    assert [e.version for e in store.read_stream("a", after=2)] == [3]
    assert list(store.read_stream("a", after=99)) == list(store.read_stream("nobody")) == []


def test_the_whole_log_is_read_in_order(store: Store) -> None:
    """Positions run from 1 without gaps over all streams."""
    filled(store)
    assert [(e.position, e.stream) for e in store.read_all()] == [(1, "a"), (2, "a"), (3, "b"), (4, "a")]
    assert [e.position for e in store.read_all(after=3)] == [4]
    assert list(store.read_all(after=4)) == []


def test_reading_all_ends_at_the_head_of_when_it_was_called(store: Store) -> None:
    """Events appended during a read of the whole log are left for the next read."""
    filled(store)
    found = store.read_all()
    first = next(found)
    appended(store, "late", 0, made())
    assert [first.position, *(e.position for e in found)] == [1, 2, 3, 4]


def test_events_are_upcast_on_read(store: Store) -> None:
    """An event of an older version passes every upcaster up to the current version."""
    appended(store, "a", 0, NewEvent("Moved", {"n": "x"}, 1), NewEvent("Moved", {"name": "y"}, 1, 2))
    appended(store, "a", 2, NewEvent("Moved", {"name": "z", "greeting": "ciao"}, 1, 3))
    found = [(e.type_version, e.data) for e in store.read_stream("a")]
    assert found == [
        (3, {"name": "x", "greeting": "hello"}),
        (3, {"name": "y", "greeting": "hello"}),
        (3, {"name": "z", "greeting": "ciao"}),
    ]
    assert found == [(e.type_version, e.data) for e in store.read_all()]


def test_a_conflict_writes_nothing(store: Store) -> None:
    """An append at the wrong version is refused, with its events and its rows."""
    filled(store)
    with pytest.raises(VersionConflictError) as refused:
        appended(store, "a", 2, made(), rows=(Row("t", "k", b"v"),))
    assert (refused.value.stream, refused.value.expected, refused.value.actual) == ("a", 2, 3)
    assert (store.head(), store.version("a"), store.row("t", "k")) == (4, 3, None)


def test_a_refused_append_does_not_touch_its_neighbours(store: Store) -> None:
    """Of appends that wait together, only the one with the wrong version fails, and order is kept."""
    futures = [asked(store, "a", expected, made(str(expected))) for expected in (0, 1, 5, 2, 2, 3)]
    errors = [future.exception(SECONDS) for future in futures]
    assert [type(error) for error in errors] == [
        type(None), type(None), VersionConflictError, type(None), VersionConflictError, type(None),
    ]  # fmt: skip
    assert [e.data["text"] for e in store.read_stream("a")] == ["0", "1", "2", "3"]


def test_appends_without_events_change_rows_at_a_version(store: Store) -> None:
    """An append may carry rows alone; its version is checked all the same."""
    filled(store)
    assert appended(store, "b", 1, rows=(Row("t", "k", b"v"),)) == Appended(1, 4)
    assert isinstance(asked(store, "b", 0, rows=(Row("t", "k", None),)).exception(SECONDS), VersionConflictError)
    assert (store.row("t", "k"), list(store.streams())) == (b"v", ["a", "b"])


def test_rows_are_put_and_deleted_with_the_append(store: Store) -> None:
    """Rows change in the append's own transaction, in order; None deletes."""
    appended(store, "a", 0, made(), rows=(Row("t", "k", b"1"), Row("t", "k", b"2"), Row("t", "gone", b"")))
    assert (store.row("t", "k"), store.row("t", "gone"), store.row("u", "k")) == (b"2", b"", None)
    appended(store, "a", 1, made(), rows=(Row("t", "k", None), Row("t", "never", None)))
    assert (store.row("t", "k"), store.count("t")) == (None, 1)


def test_rows_are_listed_by_prefix_in_pages(store: Store) -> None:
    """Rows come in the order of their bytes; `after` and `limit` page through them; tables do not mix."""
    names = ["a", "ab", "abc", "b", "é", "z"]
    rows = [Row("t", name, name.encode()) for name in reversed(names)]
    rows += [Row("t2", "ab", b""), Row("s", "ab", b"")]
    appended(store, "a", 0, rows=tuple(rows))
    assert [key for key, _ in store.rows("t")] == sorted(names, key=str.encode)
    assert store.rows("t", prefix="ab") == [("ab", b"ab"), ("abc", b"abc")]
    assert [key for key, _ in store.rows("t", after="ab", limit=2)] == ["abc", "b"]
    assert store.rows("t", prefix="a", after="b") == store.rows("t", limit=0) == store.rows("nothing") == []
    assert [key for key, _ in store.rows("t", prefix="ab", after="a")] == ["ab", "abc"]
    assert (store.count("t"), store.count("t", "a"), store.count("nothing")) == (6, 3, 0)


def test_bounds_longer_than_any_key_find_nothing_wrong(store: Store) -> None:
    """Hostile lengths of keys and names in a read find nothing; they do not fail."""
    appended(store, "a", 0, made(), rows=(Row("t", "k", b"v"), Row("t", "y", b"w")))
    long = "k" * 5000
    assert (store.row("t", long), store.rows("t", prefix=long), store.count("t", long)) == (None, [], 0)
    assert [key for key, _ in store.rows("t", after=long)] == ["y"]
    assert (store.version(long), list(store.read_stream(long)), store.checkpoint(long, "")) == (0, [], None)


def test_streams_are_named_by_prefix(store: Store) -> None:
    """Streams are listed in the order of their bytes, each once."""
    for name in ("fn/b", "fn/a", "fn", "fn/a\x01", "gn", "é"):
        appended(store, name, 0, made(), made())
    assert list(store.streams()) == ["fn", "fn/a", "fn/a\x01", "fn/b", "gn", "é"]
    assert list(store.streams("fn/")) == ["fn/a", "fn/a\x01", "fn/b"]
    assert list(store.streams("x")) == []
    assert [store.version(name) for name in store.streams()] == [2] * 6


@pytest.mark.parametrize("stream", ["", "a\0b", "x" * 401, "\ud800"])
def test_names_that_cannot_be_stored_are_refused(store: Store, stream: str) -> None:
    """A stream needs a name of 1 to 400 bytes of UTF-8 without NUL."""
    with pytest.raises(ValueError, match=r"stream|surrogates"):
        asked(store, stream, 0, made())
    assert store.head() == 0


@pytest.mark.parametrize("data", [{"x": object()}, {1: 2}, {"x": 1 << 64}, {"x": {2: 1}}, {"x": "\ud800"}])
def test_data_that_cannot_be_stored_is_refused(store: Store, data: Mapping[str, Any]) -> None:
    """What msgpack cannot hold is refused at the call, and nothing is written."""
    with pytest.raises(ValueError, match="cannot be encoded"):
        asked(store, "a", 0, made(), NewEvent("Made", data, 1))
    assert store.head() == 0


def test_rows_and_versions_that_cannot_be_are_refused(store: Store) -> None:
    """An empty or overlong row key, a table with NUL and a version below 0 are refused at the call."""
    for bad in (Row("t", "", b""), Row("t", "k" * 511, b""), Row("t\0", "k", b""), Row("", "k", b"")):
        with pytest.raises(ValueError, match="must have 1 to"):
            asked(store, "a", 0, made(), rows=(bad,))
    with pytest.raises(ValueError, match="cannot be at version"):
        asked(store, "a", -1, made())


@pytest.mark.parametrize(("name", "version"), [("Unheard", 1), ("Made", 2), ("Made", 0)])
def test_types_the_release_does_not_know_are_not_written(store: Store, name: str, version: int) -> None:
    """What the next start would refuse to read is refused now."""
    with pytest.raises(UnknownEventTypeError, match=name):
        asked(store, "a", 0, NewEvent(name, {}, 1, version))


def test_records_load_into_an_empty_log_byte_for_byte(store: Store, other: Store) -> None:
    """`load` of `records` gives the same log: head, versions, streams, bytes, and views that are to be made."""
    filled(store)
    other.replace_views("old", [])
    assert other.load(store.records()) == 4
    assert list(other.records()) == list(store.records())
    assert list(other.read_all()) == list(store.read_all())
    assert (list(other.streams()), other.version("a"), other.head()) == (["a", "b"], 3, 4)
    assert other.views_tag() == ""
    assert list(store.records(after=3)) == list(store.records())[3:]
    assert appended(other, "a", 3, made()) == Appended(4, 5)


def test_a_load_of_nothing_is_an_empty_log(store: Store) -> None:
    """An empty log's records are none, and load as such, more than once."""
    assert store.load([]) == 0
    assert store.load([]) == 0
    assert appended(store, "a", 0, made()) == Appended(1, 1)


def test_a_log_that_holds_events_takes_no_load(store: Store, other: Store) -> None:
    """Only an empty log is loaded into."""
    filled(store)
    appended(other, "z", 0, made())
    with pytest.raises(StoreError, match="empty log only"):
        other.load(store.records())
    assert list(other.streams()) == ["z"]


def refused_records(store: Store) -> dict[str, list[bytes]]:
    filled(store)
    good = list(store.records())
    return {
        "gap": [good[0], good[2]],
        "late start": good[1:],
        "twice": [good[0], good[0]],
        "damage": [good[0], good[1][:-1] + bytes([good[1][-1] ^ 1])],
        "cut": [good[0], good[1][:10]],
        "empty": [good[0], b""],
    }


@pytest.mark.parametrize("fault", ["gap", "late start", "twice", "damage", "cut", "empty"])
def test_faulty_records_leave_the_log_empty(store: Store, other: Store, fault: str) -> None:
    """A load is all or nothing: a gap or damage anywhere leaves an empty log, which loads well afterwards."""
    with pytest.raises(CorruptStoreError):
        other.load(refused_records(store)[fault])
    assert (other.head(), list(other.streams()), list(other.records())) == (0, [], [])
    assert other.load(store.records()) == 4


def test_a_load_whose_source_fails_leaves_the_log_empty(store: Store, other: Store) -> None:
    """When the source of records breaks off, its error comes out and nothing was loaded."""
    filled(store)

    def breaking() -> Iterator[bytes]:
        yield from store.records()
        raise ConnectionError("the pod ended early")

    with pytest.raises(ConnectionError):
        other.load(breaking())
    assert (other.head(), list(other.records())) == (0, [])
    assert appended(other, "a", 0, made()) == Appended(1, 1)


def test_views_are_replaced_as_a_whole(store: Store) -> None:
    """`replace_views` drops every row and sets the tag; None rows are deletions."""
    assert store.views_tag() == ""
    appended(store, "a", 0, made(), rows=(Row("t", "old", b"1"),))
    many = [Row("t", f"k{n:05}", b"v") for n in range(7000)]
    store.replace_views("views-2", [*many, Row("u", "k", b"w"), Row("t", "k00000", None)])
    assert (store.views_tag(), store.row("t", "old"), store.count("t"), store.count("u")) == ("views-2", None, 6999, 1)
    assert store.head() == 1


def test_views_that_fail_half_way_have_no_tag(store: Store) -> None:
    """When making the views breaks off, the tag is gone, so that they are made again."""
    store.replace_views("one", [Row("t", "k", b"v")])

    def breaking() -> Iterator[Row]:
        yield Row("t", "l", b"v")
        raise RuntimeError("a bug in a view")

    with pytest.raises(RuntimeError):
        store.replace_views("two", breaking())
    assert store.views_tag() == ""


def test_a_checkpoint_is_found_under_its_tag_only(store: Store) -> None:
    """The newest checkpoint of a stream comes back under the tag that it was saved with."""
    appended(store, "a", 0, made(), made())
    for version in (1, 2):
        store.save_checkpoint("a", Checkpoint(version, "fold-1", b"state%d" % version))
    appended(store, "b", 0, made())
    assert store.checkpoint("a", "fold-1") == Checkpoint(2, "fold-1", b"state2")
    assert store.checkpoint("a", "fold-2") is None
    assert store.checkpoint("b", "fold-1") is None


def test_a_checkpoint_ahead_of_its_stream_is_dropped(store: Store) -> None:
    """A state that was folded from appends which were refused is never believed."""
    appended(store, "a", 0, made())
    store.save_checkpoint("a", Checkpoint(2, "t", b"from a refused append"))
    appended(store, "b", 0, made())
    assert store.checkpoint("a", "t") is None


def test_every_use_after_close_is_refused(store: Store) -> None:
    """A closed store says so at the call, from every method; closing twice does no harm."""
    filled(store)
    store.close()
    store.close()
    for use in (
        lambda: asked(store, "a", 3, made()), lambda: store.read_stream("a"), store.read_all, store.head,
        lambda: store.version("a"), store.streams, lambda: store.row("t", "k"), lambda: store.rows("t"),
        lambda: store.count("t"), store.records, lambda: store.load([]), store.views_tag,
        lambda: store.replace_views("", []), lambda: store.checkpoint("a", ""),
        lambda: store.save_checkpoint("a", Checkpoint(1, "", b"")),
    ):  # fmt: skip
        with pytest.raises(StoreClosedError, match="closed"):
            use()


def test_many_threads_append_to_their_own_streams(store: Store) -> None:
    """Appends of many threads all land: no position is lost or given twice, and each stream is in order."""
    landed: list[int] = []

    def produce(stream: str) -> None:
        landed.extend(appended(store, stream, version, made(str(version))).position for version in range(25))

    threads = [threading.Thread(target=produce, args=(f"s{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert sorted(landed) == list(range(1, 201)) == [e.position for e in store.read_all()]
    assert [e.data["text"] for e in store.read_stream("s3")] == [str(n) for n in range(25)]


def test_an_acknowledged_append_is_seen_by_the_next_read(store: Store) -> None:
    """Whoever saw the future done reads what was appended, from any thread."""
    seen: list[tuple[int, int, bytes | None]] = []

    def reads(future: Future[Appended]) -> None:
        seen.append((future.result().version, store.version("a"), store.row("t", "k")))

    for version in range(20):
        future = asked(store, "a", version, made(), rows=(Row("t", "k", b"%d" % version),))
        future.result(SECONDS)
        reads(future)
    assert seen == [(version + 1, version + 1, b"%d" % version) for version in range(20)]
