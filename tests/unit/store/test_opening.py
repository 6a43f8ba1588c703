"""Opening a log: what must not be opened is refused, with every byte left as it was."""

import os
import struct
from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest

from relambda.store.datafile import check_data_file
from relambda.store.errors import CorruptStoreError, NewerFormatError, UnknownEventTypeError
from relambda.store.interface import EventTypes
from relambda.store.log import LmdbStore
from relambda.store.records import Append, Appended, NewEvent

Open = Callable[..., LmdbStore]
AppendTo = Callable[..., Appended]
Contents = Callable[[Path], dict[str, bytes]]


@pytest.fixture
def log(tmp_path: Path, open_store: Open, append: AppendTo) -> Path:
    """A log of a hundred events, closed."""
    store = open_store(initial_map_bytes=1)
    for version in range(100):
        append(store, "a", version, 2000)
    store.close()
    return tmp_path / "log"


def test_a_log_outlives_its_store(log: Path, open_store: Open) -> None:
    """What was appended is there after closing and opening."""
    store = open_store(log)
    assert (store.head(), len(list(store.read_stream("a")))) == (100, 100)


@pytest.mark.parametrize("known", [{"Other": 1}, {}])
def test_an_unknown_type_is_refused_and_nothing_changes(log: Path, contents: Contents, known: dict[str, int]) -> None:
    """A log with a type that this release does not know stays closed, byte for byte as it was."""
    before = contents(log)
    with pytest.raises(UnknownEventTypeError, match="Made version 1"):
        LmdbStore.open(log, EventTypes(known, {}))
    assert contents(log) == before


def test_a_newer_version_of_a_type_is_refused_and_nothing_changes(tmp_path: Path, contents: Contents) -> None:
    """A log with a newer version of a type stays closed for an older release, and opens for the newer one."""
    newer = EventTypes({"Made": 2}, {("Made", 1): lambda data: data})
    store = LmdbStore.open(tmp_path / "log", newer)
    store.append(Append("a", 0, (NewEvent("Made", {}, 1, 2),))).result(60)
    store.close()
    before = contents(tmp_path / "log")
    with pytest.raises(UnknownEventTypeError, match="Made version 2"):
        LmdbStore.open(tmp_path / "log", EventTypes({"Made": 1}, {}))
    assert contents(tmp_path / "log") == before
    LmdbStore.open(tmp_path / "log", newer).close()


def test_a_newer_format_is_refused_and_nothing_changes(log: Path, open_store: Open, contents: Contents) -> None:
    """A format number beyond this release's own is refused before anything else is looked at."""
    (log / "FORMAT").write_text("2\n")
    before = contents(log)
    with pytest.raises(NewerFormatError, match="format 2"):
        open_store(log)
    assert contents(log) == before


@pytest.mark.parametrize("text", ["", "0", "one", "\0" * 100, "-1"])
def test_a_format_that_is_no_number_is_damage(log: Path, open_store: Open, text: str) -> None:
    """A FORMAT file that holds no number is damage, not a new log."""
    (log / "FORMAT").write_text(text)
    with pytest.raises(CorruptStoreError, match="format number"):
        open_store(log)


def test_truncated_data_is_refused_before_it_can_kill(log: Path, run_script: Callable[..., list[str]]) -> None:
    """A data file cut at any length raises CorruptStoreError, where reading it through the map would be SIGBUS."""
    last = check_data_file(log / "data.mdb").last_page
    sizes = [0, 1, 100, 4095, 4096, 4200, 8192, 3 * 4096, last * 4096, last * 4096 + 4095]
    lines = run_script(
        """
data = DIRECTORY / "data.mdb"
for size in map(int, sys.argv[2:]):
    os.truncate(data, size)
    try:
        LmdbStore.open(DIRECTORY, TYPES)
        print("opened")
    except CorruptStoreError:
        print("refused", data.stat().st_size == size)
""",
        log,
        *reversed(sizes),
    )
    assert lines == ["refused True"] * len(sizes)


def test_a_file_of_just_the_used_pages_opens(log: Path, open_store: Open) -> None:
    """The unused stretch at the end of the data file may be lost, for instance in a copy."""
    os.truncate(log / "data.mdb", (check_data_file(log / "data.mdb").last_page + 1) * 4096)
    assert len(list(open_store(log).read_all())) == 100


@pytest.mark.parametrize("start", [0, 4096])
def test_garbage_is_refused(log: Path, contents: Contents, run_script: Callable[..., list[str]], start: int) -> None:
    """A data file that is overwritten with garbage, from the first or the second meta page on, is refused."""
    data = log / "data.mdb"
    data.write_bytes(data.read_bytes()[:start] + bytes((n * 7919 + 13) % 251 for n in range(100_000)))
    before = contents(log)
    lines = run_script(
        "try:\n    LmdbStore.open(DIRECTORY, TYPES)\nexcept CorruptStoreError as e:\n    print('refused', e)", log
    )
    assert len(lines) == 1
    assert "is damaged" in lines[0]
    assert contents(log) == before


def test_an_overwritten_root_page_is_refused(log: Path, open_store: Open) -> None:
    """A tree whose root is not where the meta page says is damage."""
    data = log / "data.mdb"
    root = check_data_file(data).roots[1]
    with data.open("r+b") as file:
        file.seek(root * 4096)
        file.write(struct.pack("=Q", root + 1))
    with pytest.raises(CorruptStoreError, match="root page"):
        open_store(log)


def test_a_finished_log_without_data_is_damage(log: Path, open_store: Open) -> None:
    """A lost data file is never taken for a new, empty log."""
    (log / "data.mdb").unlink()
    with pytest.raises(CorruptStoreError, match="missing"):
        open_store(log)


def test_a_log_without_its_format_is_not_guessed_at(log: Path, open_store: Open) -> None:
    """A log with events and no FORMAT is refused, with what to do."""
    (log / "FORMAT").unlink()
    with pytest.raises(CorruptStoreError, match="no file FORMAT"):
        open_store(log)


@pytest.mark.parametrize("left", ["nothing", "empty data", "no format"])
def test_an_interrupted_making_is_finished(tmp_path: Path, open_store: Open, append: AppendTo, left: str) -> None:
    """A crash while a log was made, before any append, leaves something that opens as a new log."""
    directory = tmp_path / "new"
    directory.mkdir()
    if left == "empty data":
        (directory / "data.mdb").touch()
    if left == "no format":
        open_store(directory).close()
        (directory / "FORMAT").unlink()
    store = open_store(directory)
    assert append(store, "a", 0) == Appended(1, 1)
    assert (directory / "FORMAT").read_text() == "1\n"


def test_the_look_with_plain_reads_sees_what_lmdb_sees(tmp_path: Path) -> None:
    """Last page, map size and transaction number are those that LMDB itself reports, commit after commit."""
    with lmdb.open(str(tmp_path), map_size=1 << 20) as environment:
        for number in range(10):
            with environment.begin(write=True) as transaction:
                transaction.put(b"%d" % number, bytes(3000))
            meta, info = check_data_file(tmp_path / "data.mdb"), environment.info()
            assert (meta.last_page, meta.transaction) == (info["last_pgno"], info["last_txnid"])
            assert (meta.map_bytes, meta.page_bytes) == (info["map_size"], environment.stat()["psize"])


def test_a_damaged_record_is_told_when_it_is_read(log: Path, open_store: Open) -> None:
    """A flipped bit inside a record raises CorruptStoreError on every way of reading it; the rest is readable."""
    with lmdb.open(str(log), max_dbs=8, map_size=1 << 22) as environment:
        events = environment.open_db(b"events.1")
        with environment.begin(write=True, db=events) as transaction:
            key = struct.pack(">Q", 50)
            record = transaction.get(key)
            assert record is not None
            transaction.put(key, record[:-1] + bytes([record[-1] ^ 1]))
    store = open_store(log)
    for read in (store.read_all, store.records, lambda: store.read_stream("a")):
        with pytest.raises(CorruptStoreError, match="checksum"):
            list(read())
    assert len(list(store.read_all(after=50))) == 50


def test_a_missing_event_is_told_when_it_is_read(log: Path, open_store: Open) -> None:
    """A gap in the log raises CorruptStoreError instead of being passed over."""
    with lmdb.open(str(log), max_dbs=8, map_size=1 << 22) as environment:
        events = environment.open_db(b"events.1")
        with environment.begin(write=True, db=events) as transaction:
            transaction.delete(struct.pack(">Q", 50))
    store = open_store(log)
    for read in (store.read_all, store.records, lambda: store.read_stream("a")):
        with pytest.raises(CorruptStoreError, match="missing"):
            list(read())
