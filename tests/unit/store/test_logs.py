"""The store of function logs: what is put is there, until it expires, is too much, or is deleted."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.store.datafile import check_data_file
from relambda.store.errors import StoreClosedError
from relambda.store.logs.events import FIRST, LAST, EventTable
from relambda.store.logs.groups import GroupTable
from relambda.store.logs.logs_store import MAP_FACTOR, LogStore
from relambda.store.logs.records import (
    GroupName,
    LogGroup,
    LogGroupExistsError,
    LogGroupNotFoundError,
    LogStreamExistsError,
    LogStreamNotFoundError,
    Place,
    StreamName,
)

Run = Callable[..., list[str]]
Start = Callable[..., "subprocess.Popen[str]"]
MIB = 1024 * 1024
DAY_MS = 86_400_000
GROUP = GroupName("111111111111", "us-east-1", "/g")
STREAM = StreamName(GROUP, "s")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LogStore]:
    """An empty store of a megabyte."""
    made = LogStore(tmp_path / "logs", MIB)
    yield made
    made.close()


def messages(store: LogStore, name: StreamName = STREAM, low: Place = FIRST, high: Place = LAST) -> list[str]:
    """A stream's messages, in order."""

    def work(groups: GroupTable, events: EventTable) -> list[str]:
        stream = groups.stream(groups.group(name.group).id, name.name)
        return [event.message for event in events.of_stream(stream, low, high)]

    return store.read(work)


def of_group(store: LogStore, *, backwards: bool = False) -> list[str]:
    """The messages of all streams of the group."""
    return store.read(
        lambda groups, events: [
            event.message for event in events.of_group(groups.group(GROUP).id, FIRST, LAST, backwards=backwards)
        ]
    )


def oldest_ms(store: LogStore, name: GroupName) -> int:
    """The time of a group's oldest event."""

    def work(groups: GroupTable, events: EventTable) -> Place | None:
        return events.first(groups.group(name).id)

    found = store.read(work)
    assert found is not None
    return found.at_ms


def test_what_is_appended_is_read(store: LogStore) -> None:
    """Given lines for streams that are not there, then they are made; the lines are in order of time, then of rank."""
    store.append({STREAM: [(5, "b"), (5, "c"), (7, "d")], StreamName(GROUP, "t"): [(6, "x")]}, 100)
    store.append({STREAM: [(3, "a"), (7, "é")]}, 101)

    assert messages(store) == ["a", "b", "c", "d", "é"]
    assert messages(store, low=Place(5, 0), high=Place(6, 0)) == ["b", "c"]
    assert of_group(store) == ["a", "b", "c", "x", "d", "é"]
    assert of_group(store, backwards=True) == ["é", "d", "x", "c", "b", "a"]
    assert store.total_bytes() == sum(len(each.encode()) + 26 for each in of_group(store))


def test_names_of_any_length_and_kind(store: LogStore) -> None:
    """Given the longest names that differ in their ends alone, then each is another one, and prefixes find them."""
    long = [GroupName("1", "r", "g" * 511 + last) for last in "ab"]
    for name in long:
        store.append({StreamName(name, "s" * 512): [(1, name.name[-1])]}, 1)

    assert [messages(store, StreamName(name, "s" * 512)) for name in long] == [["a"], ["b"]]
    found = store.read(lambda groups, _: [group.name for group in groups.groups("1", "r", "g" * 500)])
    assert sorted(found) == [name.name for name in long]
    assert store.read(lambda groups, _: list(groups.groups("1", "other"))) == []


def test_what_is_there_and_what_is_not(store: LogStore) -> None:
    """Given a group or stream that is there, or is not, then making, changing and deleting it says so."""
    store.create_group(GROUP, lambda id_: LogGroup(id_, GROUP.name, 1))
    store.create_stream(STREAM, 1)
    with pytest.raises(LogGroupExistsError):
        store.create_group(GROUP, lambda id_: LogGroup(id_, GROUP.name, 1))
    with pytest.raises(LogStreamExistsError):
        store.create_stream(STREAM, 1)
    store.put(STREAM, [(1, "a")], 1)
    store.delete_stream(STREAM)
    assert (of_group(store), store.total_bytes()) == ([], 0)
    with pytest.raises(LogStreamNotFoundError):
        store.put(STREAM, [(1, "a")], 1)
    store.delete_group(GROUP)
    with pytest.raises(LogGroupNotFoundError):
        store.delete_group(GROUP)
    with pytest.raises(LogGroupNotFoundError):
        store.create_stream(STREAM, 1)


def test_a_group_that_is_made_again_is_empty(store: LogStore) -> None:
    """Given a group that was deleted, when it is made again, then nothing of what it held comes back."""
    store.append({STREAM: [(1, "old")]}, 1)
    store.delete_group(GROUP)
    store.append({STREAM: [(2, "new")]}, 2)

    assert of_group(store) == ["new"]


def test_retention(store: LogStore) -> None:
    """Given a retention, then a trim takes what has expired, and the streams that functions made and it empties."""
    now_ms = 10 * DAY_MS
    store.append({STREAM: [(now_ms - DAY_MS - 1, "expired"), (now_ms - DAY_MS, "kept")]}, now_ms)
    store.append({StreamName(GROUP, "gone"): [(1, "expired")]}, now_ms)
    store.create_stream(StreamName(GROUP, "made"), now_ms)
    store.put(StreamName(GROUP, "made"), [(1, "expired")], now_ms)
    assert store.trim(now_ms) == 0

    store.change_group(GROUP, lambda group: replace(group, retention_days=1))
    assert store.trim(now_ms) == 3
    assert of_group(store) == ["kept"]
    names = store.read(lambda groups, _: [stream.name for stream in groups.streams(groups.group(GROUP).id)])
    assert names == ["made", "s"]
    assert store.total_bytes() == 30


def test_the_oldest_go_when_there_is_too_much(store: LogStore) -> None:
    """Given more bytes than may be kept, then a trim takes the oldest of all groups, whatever the sizes of lines."""
    other = StreamName(GroupName("2", "r", "/h"), "s")
    for number in range(8):
        lines = [(number * 10_000 + each, "x" * (each % 50)) for each in range(4_000)]
        store.append({STREAM if number % 2 else other: lines}, 1)
    assert store.total_bytes() > store.max_bytes
    assert store.is_due_for_trim
    store.trim(1)

    assert store.max_bytes * 8 // 10 < store.total_bytes() <= store.max_bytes
    for name in (STREAM, other):
        assert oldest_ms(store, name.group) >= 10_000
    assert not store.is_due_for_trim


def test_of_long_lines_no_more_go_than_must(store: LogStore) -> None:
    """Given few lines that are long, fewer than go at a time, then a trim takes a tenth of them, and not all."""
    count = store.max_bytes // 10_000 + 10
    store.append({STREAM: [(number, "x" * 10_000) for number in range(count)]}, 1)
    removed = store.trim(1)
    assert 0 < removed < count // 4
    assert oldest_ms(store, STREAM.group) == removed
    assert store.max_bytes * 8 // 10 < store.total_bytes() <= store.max_bytes


def test_the_smallest_lines_find_room(tmp_path: Path, store: LogStore) -> None:
    """Given lines of one byte in many groups, then they take no more of the disk than the map has for what counts."""
    for number in range(100):
        groups = [GroupName("1", "r", f"/{each}") for each in range(20)]
        store.append({StreamName(group, "s"): [(number * 10 + at, "x") for at in range(10)] for group in groups}, 1)
    meta = check_data_file(tmp_path / "logs" / "data.mdb")

    assert store.total_bytes() == 100 * 20 * 10 * 27
    assert (meta.last_page + 1) * meta.page_bytes <= MAP_FACTOR * store.total_bytes()


@given(
    st.lists(
        st.tuples(st.sampled_from("st"), st.integers(0, 9), st.text("aé", max_size=3))
        | st.sampled_from(["s", "t", ""]),
        max_size=20,
    )
)
def test_the_store_is_a_sorted_list(
    tmp_path_factory: pytest.TempPathFactory, steps: "list[tuple[str, int, str] | str]"
) -> None:
    """Given any lines put and streams deleted, then the store holds what a list that is sorted by time would."""
    store = LogStore(tmp_path_factory.mktemp("logs"), MIB)
    kept: list[tuple[str, int, str]] = []
    for step in steps:
        if isinstance(step, tuple):
            store.append({StreamName(GROUP, step[0]): [step[1:]]}, 1)
            kept.append(step)
        elif step in {stream for stream, _, _ in kept}:
            store.delete_stream(StreamName(GROUP, step))
            kept = [line for line in kept if line[0] != step]
    wanted = sorted(kept, key=lambda line: line[1])

    if any(isinstance(step, tuple) for step in steps):
        assert of_group(store) == [message for _, _, message in wanted]
    for name in {stream for stream, _, _ in kept}:
        assert messages(store, StreamName(GROUP, name)) == [text for stream, _, text in wanted if stream == name]
    assert store.total_bytes() == sum(len(message.encode()) + 26 for _, _, message in kept)
    store.close()


PRELUDE = """
from relambda.store.logs.records import *
from relambda.store.logs.logs_store import LogStore
STREAM = StreamName(GroupName("111111111111", "us-east-1", "/g"), "s")
"""


def test_a_killed_writer_loses_nothing_that_was_acknowledged(script: Start, tmp_path: Path) -> None:
    """Given a process that is killed while it writes, then all it was told to be written is there, in whole batches."""
    writer = """
store = LogStore(DIRECTORY, 64 * 1024 * 1024)
number = 0
while True:
    store.append({STREAM: [(number, f"{number} {part}") for part in "ab"]}, 1)
    os.write(1, f"{number}\\n".encode())
    number += 1
"""
    for kill_after in (1, 20, 90):
        process = script(PRELUDE + writer, tmp_path / "logs")
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(kill_after)]
        process.kill()
        said += process.stdout.read().splitlines(keepends=True)
        process.wait(60)
        promised = sum(line.endswith("\n") for line in said)
        store = LogStore(tmp_path / "logs", 64 * MIB)
        found = messages(store)
        assert len(found) >= 2 * promised
        assert found[: 2 * promised] == [f"{number} {part}" for number in range(promised) for part in "ab"]
        assert len(found) % 2 == 0
        store.delete_group(GROUP)
        store.close()


def test_a_full_disk_refuses_and_loses_nothing(run_script: Run, tmp_path: Path) -> None:
    """Given no room, then a batch is refused as a whole, reads go on, and with room the next one is written."""
    lines = run_script(
        PRELUDE
        + """
store = LogStore(DIRECTORY, 1024 * 1024)
store.append({STREAM: [(1, "before")]}, 1)
size = 256 * 1024
resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    for number in range(20):
        store.append({STREAM: [(2, "x" * 100_000)]}, 1)
except StoreFullError as error:
    print(type(error).__name__, "free some space" in str(error))
def first(groups, events):
    group = groups.group(STREAM.group)
    return next(iter(events.of_group(group.id, Place(0, 0), Place(9, 9)))).message
print(store.read(first))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.append({STREAM: [(3, "after")]}, 1)
store.close()
store = LogStore(DIRECTORY, 1024 * 1024)
def last(groups, events):
    group = groups.group(STREAM.group)
    return next(iter(events.of_group(group.id, Place(0, 0), Place(9, 9), backwards=True))).message
print(store.read(last))
""",
        tmp_path / "logs",
    )
    assert lines == ["StoreFullError True", "before", "after"]


def test_damaged_logs_do_not_keep_a_cloud_from_its_start(tmp_path: Path) -> None:
    """Given a data file that was cut off, then it is kept aside, and the logs begin anew."""
    store = LogStore(tmp_path / "logs", MIB)
    store.append({STREAM: [(1, "a" * 100_000)]}, 1)
    store.close()
    with (tmp_path / "logs" / "data.mdb").open("rb+") as data:
        data.truncate(5_000)
    again = LogStore(tmp_path / "logs", MIB)
    again.append({STREAM: [(1, "new")]}, 1)

    assert messages(again) == ["new"]
    assert [path.name[:13] for path in tmp_path.iterdir() if path.name != "logs"] == ["logs-damaged-"]
    again.close()
    with pytest.raises(StoreClosedError):
        again.total_bytes()
