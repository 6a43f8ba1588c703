"""The log writer with a real store: all that environments tell is read afterwards, in order, or its loss is told."""

import threading
import tracemalloc
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from relambda.actors.domain.names import ResourceName
from relambda.actors.logs.environment_log import EnvironmentLog
from relambda.actors.logs.lines import Report
from relambda.actors.logs.weight import LINE_BYTES, TURN_BYTES
from relambda.actors.logs.writer import SLICE_BYTES, LogWriter
from relambda.api.logs.call import settled
from relambda.api.wire.errors import ServiceError
from relambda.store.errors import StoreFullError
from relambda.store.logs.events import FIRST, LAST, EventTable, Lines
from relambda.store.logs.groups import GroupTable
from relambda.store.logs.logs_store import LogStore
from relambda.store.logs.records import GroupName, LogGroupNotFoundError, StreamName

MIB = 1024 * 1024
NAME = ResourceName("function", "111111111111", "us-east-1", "f")
CONFIG = {
    "Runtime": "python3.11",
    "MemorySize": 128,
    "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/f"},
}
GROUP = GroupName("111111111111", "us-east-1", "/aws/lambda/f")
QUIET = GroupName("111111111111", "us-east-1", "/aws/lambda/quiet")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LogStore]:
    """An empty store."""
    made = LogStore(tmp_path / "logs", MIB)
    yield made
    made.close()


def environment(writer: LogWriter, id_: str = "a", group: str = "/aws/lambda/f") -> EnvironmentLog:
    """The log of an environment."""
    config = {**CONFIG, "LoggingConfig": {"LogFormat": "Text", "LogGroup": group}}
    version = cast("Any", SimpleNamespace(version="1", config=config))
    return EnvironmentLog(writer, NAME, version, id_)


def messages(store: LogStore, log: EnvironmentLog) -> list[str]:
    """What its stream holds."""

    def work(groups: GroupTable, events: EventTable) -> list[str]:
        stream = groups.stream(groups.group(log.stream.group).id, log.stream.name)
        return [event.message.split(" ")[0].rstrip("\n") for event in events.of_stream(stream, FIRST, LAST)]

    return store.read(work)


def test_who_settles_reads_all(store: LogStore) -> None:
    """Given invocations of many environments at once, then after settling all is there, each stream in order."""
    writer = LogWriter(store, 0)
    logs = [environment(writer, f"{number}") for number in range(6)]

    def work(log: EnvironmentLog) -> None:
        for number in range(30):
            log.starts(str(number))
            log.writes(b"said\n")
            log.ends(Report(str(number), 1.0, 0.0, 128), marked=True)
            log.marks(str(number), 5)

    threads = [threading.Thread(target=work, args=(log,)) for log in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert writer.settle(GROUP)
    assert all(messages(store, log) == ["START", "said", "END", "REPORT"] * 30 for log in logs)
    writer.stop()


def test_stopping_writes_what_is_held(store: LogStore) -> None:
    """Given an end whose mark has not come and a line that has no end, when the writer stops, then both are written."""
    writer = LogWriter(store, 0)
    log = environment(writer)
    log.starts("1")
    log.writes(b"unfinished")
    log.ends(Report("1", 1.0, 0.0, 128), marked=True)
    writer.stop()

    assert messages(store, log) == ["START", "unfinished", "END", "REPORT"]


def test_closing_releases_what_waits_for_a_mark(store: LogStore) -> None:
    """Given a container that is gone before its mark, then nothing waits: its last words are written at once."""
    writer = LogWriter(store, 0)
    log = environment(writer)
    log.starts("1")
    log.ends(Report("1", 1.0, 0.0, 128), marked=True, last_words="last words\n")
    log.writes(b"late\n")
    log.closes()
    assert writer.settle(GROUP)
    assert messages(store, log) == ["START", "late", "last", "END", "REPORT"]
    log.ends(Report("2", 1.0, 0.0, 128), marked=True)
    assert writer.settle(GROUP)
    assert messages(store, log)[5:] == ["END", "REPORT"]
    writer.stop()


class FullOnce(LogStore):
    """A store whose disk is full for one batch."""

    refused = False

    def append(self, batch: Mapping[StreamName, Lines], now_ms: int) -> None:
        """Refuse the first one."""
        if not self.refused:
            self.refused = True
            raise StoreFullError("no room")
        super().append(batch, now_ms)


def test_a_batch_that_is_refused_is_tried_again(tmp_path: Path) -> None:
    """Given a disk that has no room for a moment, then nothing is lost."""
    store = FullOnce(tmp_path / "logs", MIB)
    writer = LogWriter(store, 0)
    log = environment(writer)
    log.writes(b"kept\n")
    assert writer.settle(GROUP)

    assert store.refused
    assert messages(store, log) == ["kept"]
    writer.stop()
    store.close()


class Stuck(LogStore):
    """A store whose disk hangs until it is let go on."""

    def __init__(self, directory: Path, max_bytes: int) -> None:
        """It hangs at its first batch."""
        super().__init__(directory, max_bytes)
        self.let_go, self.hangs = threading.Event(), threading.Event()
        self.batches: list[int] = []

    def append(self, batch: Mapping[StreamName, Lines], now_ms: int) -> None:
        """Wait; then write, and remember how many lines that were."""
        self.hangs.set()
        assert self.let_go.wait(60)
        self.batches.append(sum(map(len, batch.values())))
        super().append(batch, now_ms)


@pytest.fixture
def stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stuck]:
    """A store that hangs, for writers that are impatient."""
    monkeypatch.setattr("relambda.actors.logs.environment_log.WAIT_SECONDS", 0.01)
    made = Stuck(tmp_path / "logs", MIB)
    yield made
    made.let_go.set()
    made.close()


def test_output_past_the_queues_bound_is_told_of(stuck: Stuck) -> None:
    """Given a disk that hangs and a function that floods, then memory is bounded, and the log tells its loss."""
    writer = LogWriter(stuck, 0, max_queued_bytes=800)
    log = environment(writer)
    log.writes(b"first\n")
    assert stuck.hangs.wait(60)
    log.writes(b"dropped\n")
    log.writes(b"dropped too\n")
    stuck.let_go.set()
    assert writer.settle(GROUP)
    log.writes(b"last\n")
    log.closes()
    assert writer.settle(GROUP)

    first, told, last = messages(stuck, log)
    assert (first, last) == ("first", "last")
    assert told == "LOGS_DROPPED\tReason:"
    writer.stop()


def test_empty_lines_weigh(stuck: Stuck) -> None:
    """Given a disk that hangs, when a function writes nothing but line ends, then few wait, and the rest is told."""
    writer = LogWriter(stuck, 0, max_queued_bytes=MIB)
    log = environment(writer)
    log.writes(b"first\n")
    assert stuck.hangs.wait(60)
    for _ in range(4):
        log.writes(b"\n" * 65_536)
    log.closes()
    stuck.let_go.set()
    assert writer.settle(GROUP)

    found = messages(stuck, log)
    assert found.count("") <= MIB // 2 // LINE_BYTES
    assert [line for line in found if line] == ["first", "LOGS_DROPPED\tReason:"]
    writer.stop()


def test_few_lines_are_worked_off_at_a_time(stuck: Stuck) -> None:
    """Given more lines than fit into a slice, then none is lost, and none of the batches is larger than one."""
    writer = LogWriter(stuck, 0, max_queued_bytes=64 * MIB)
    log = environment(writer)
    log.writes(b"\n" * 65_536)
    assert stuck.hangs.wait(60)
    log.writes(b"\n" * 50_000)
    stuck.let_go.set()
    assert writer.settle(GROUP, 60)

    assert sum(stuck.batches) == 115_536
    assert max(stuck.batches) <= (SLICE_BYTES + TURN_BYTES) // LINE_BYTES
    writer.stop()


def test_a_flood_takes_little_memory(store: LogStore) -> None:
    """Given a function that writes a quarter of a million line ends at once, then memory stays what the queue holds."""
    writer = LogWriter(store, 0, max_queued_bytes=4 * MIB)
    log = environment(writer)
    tracemalloc.start()
    for _ in range(4):
        log.writes(b"\n" * 65_536)
    assert writer.settle(GROUP, 60)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 24 * MIB
    writer.stop()


def test_a_flood_keeps_nobody_from_reading(store: LogStore) -> None:
    """Given functions that flood without end, when another one writes, then its log is read while they go on."""
    writer = LogWriter(store, 0, max_queued_bytes=4 * MIB)
    loud, quiet = [environment(writer, f"{number}") for number in range(3)], environment(writer, "q", QUIET.name)
    calm = threading.Event()

    def flood(log: EnvironmentLog) -> None:
        while not calm.is_set():
            log.writes(b"\n" * 65_536)

    threads = [threading.Thread(target=flood, args=(log,)) for log in loud]
    for thread in threads:
        thread.start()
    for number in range(5):
        quiet.writes(b"%d\n" % number)
        assert writer.settle(QUIET, 60)
        assert messages(store, quiet)[-1] == str(number)
    assert all(thread.is_alive() for thread in threads)
    calm.set()
    for thread in threads:
        thread.join()
    writer.stop()


def test_what_cannot_be_known_is_not_denied(stuck: Stuck) -> None:
    """Given a disk that hangs, when a log is read, then AWS's error says to try again, and not that there is none."""

    class Impatient(LogWriter):
        def settle(self, group: GroupName, seconds: float = 0.01) -> bool:
            return super().settle(group, seconds)

    writer = Impatient(stuck, 0)
    call = cast("Any", SimpleNamespace(cloud=SimpleNamespace(logs=writer)))
    log = environment(writer)
    log.writes(b"here\n")
    assert stuck.hangs.wait(60)
    with pytest.raises(ServiceError) as refused, settled(call, GROUP):
        messages(stuck, log)
    assert refused.value.code == "ServiceUnavailableException"
    stuck.let_go.set()
    assert LogWriter.settle(writer, GROUP, 60)
    known = cast("Any", SimpleNamespace(cloud=SimpleNamespace(logs=SimpleNamespace(settle=lambda _: True))))
    with settled(known, GROUP):
        assert messages(stuck, log) == ["here"]
    with pytest.raises(LogGroupNotFoundError), settled(known, QUIET):
        stuck.read(lambda groups, _: groups.group(QUIET))
    writer.stop()


def test_a_stop_does_not_wait_for_a_flood(stuck: Stuck, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given much output and no time when the writer stops, then the output is told as dropped, the end is written."""
    monkeypatch.setattr("relambda.actors.logs.writer.FINISH_SECONDS", 0)
    writer = LogWriter(stuck, 0)
    log = environment(writer)
    log.starts("1")
    log.writes(b"first\n")
    assert stuck.hangs.wait(60)
    log.writes(b"\n" * 10_000)
    log.ends(Report("1", 1.0, 0.0, 128))
    stopping = threading.Thread(target=writer.stop)
    stopping.start()
    stuck.let_go.set()
    stopping.join()

    assert messages(stuck, log) == ["START", "first", "LOGS_DROPPED\tReason:", "END", "REPORT"]
    writer.stop()
