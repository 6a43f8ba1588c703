"""The log writer with a real store: all that environments tell is read afterwards, in order, or its loss is told."""

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from relambda.actors.domain.names import ResourceName
from relambda.actors.logs.environment_log import EnvironmentLog
from relambda.actors.logs.lines import Report
from relambda.actors.logs.writer import LogWriter
from relambda.store.errors import StoreFullError
from relambda.store.logs.events import FIRST, LAST, EventTable, Lines
from relambda.store.logs.groups import GroupTable
from relambda.store.logs.logs_store import LogStore
from relambda.store.logs.records import StreamName

MIB = 1024 * 1024
NAME = ResourceName("function", "111111111111", "us-east-1", "f")
CONFIG = {
    "Runtime": "python3.11",
    "MemorySize": 128,
    "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/f"},
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LogStore]:
    """An empty store."""
    made = LogStore(tmp_path / "logs", MIB)
    yield made
    made.close()


def environment(writer: LogWriter, id_: str = "a") -> EnvironmentLog:
    """The log of an environment."""
    version = cast("Any", SimpleNamespace(version="1", config=CONFIG))
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
    assert writer.settle()
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
    assert writer.settle()
    assert messages(store, log) == ["START", "late", "last", "END", "REPORT"]
    log.ends(Report("2", 1.0, 0.0, 128), marked=True)
    assert writer.settle()
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
    assert writer.settle()

    assert store.refused
    assert messages(store, log) == ["kept"]
    writer.stop()
    store.close()


class Stuck(LogStore):
    """A store whose disk hangs until it is let go on."""

    let_go = threading.Event()
    hangs = threading.Event()

    def append(self, batch: Mapping[StreamName, Lines], now_ms: int) -> None:
        """Wait."""
        self.hangs.set()
        assert self.let_go.wait(60)
        super().append(batch, now_ms)


def test_output_past_the_queues_bound_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a disk that hangs and a function that floods, then memory is bounded, and the log tells its loss."""
    monkeypatch.setattr("relambda.actors.logs.environment_log.WAIT_SECONDS", 0.01)
    store = Stuck(tmp_path / "logs", MIB)
    writer = LogWriter(store, 0, max_queued_bytes=100)
    log = environment(writer)
    log.writes(b"first\n")
    assert store.hangs.wait(60)
    log.writes(b"x" * 99 + b"\n")
    log.writes(b"dropped\n")
    store.let_go.set()
    assert writer.settle()
    log.writes(b"last\n")
    log.closes()
    assert writer.settle()

    found = messages(store, log)
    assert (found[0], found[1], found[3]) == ("first", "x" * 99, "last")
    assert found[2].startswith("LOGS_DROPPED")
    writer.stop()
    store.close()
