"""Crashes and forks: an acknowledged append is there whatever became of the process."""

import os
import random
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from relambda.store.errors import StoreClosedError
from relambda.store.interface import EventTypes
from relambda.store.log import LmdbStore
from relambda.store.records import Append, Appended, NewEvent

Start = Callable[..., "subprocess.Popen[str]"]
KILLS = 10

WRITER = """
store = LmdbStore.open(DIRECTORY, TYPES, initial_map_bytes=1)
lock = threading.Lock()

def produce(stream):
    version = store.version(stream)
    while True:
        row = Row("t", stream, b"%d" % (version + 1))
        version = append(store, stream, version, {"n": version + 1, "x": bytes(500)}, (row,)).version
        with lock:
            os.write(1, f"{stream} {version}\\n".encode())

for number in range(4):
    threading.Thread(target=produce, args=(f"s{number}",)).start()
"""


def acknowledged(process: "subprocess.Popen[str]", lines: int) -> dict[str, int]:
    """Read some lines, kill the writer, and read what it still had said."""
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(lines)]
    os.kill(process.pid, signal.SIGKILL)
    rest = process.stdout.read()
    process.wait(60)
    said += [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    return {stream: int(version) for stream, version in (line.split() for line in said)}


def test_a_killed_writer_loses_nothing_that_was_acknowledged(script: Start, tmp_path: Path, types: EventTypes) -> None:
    """After SIGKILL at any moment every acknowledged append is there, with its rows, and nothing is half-written."""
    dice = random.Random(20240229)
    for _ in range(KILLS):
        promised = acknowledged(script(WRITER, tmp_path / "log"), dice.randrange(1, 300))
        store = LmdbStore.open(tmp_path / "log", types)
        for stream in store.streams():
            version = store.version(stream)
            assert version >= promised.get(stream, 0)
            assert [e.data["n"] for e in store.read_stream(stream)] == list(range(1, version + 1))
            assert store.row("t", stream) == b"%d" % version
        assert set(promised) <= set(store.streams())
        assert [e.position for e in store.read_all()] == list(range(1, store.head() + 1))
        store.close()


def test_a_killed_load_leaves_an_empty_log(
    script: Start, tmp_path: Path, open_store: Callable[..., LmdbStore], append: Callable[..., Appended]
) -> None:
    """A load that dies half-way has loaded nothing, and the next one succeeds."""
    source = open_store()
    for version in range(20):
        append(source, "a", version, 1_000_000)
    (tmp_path / "records").mkdir()
    for number, record in enumerate(source.records()):
        (tmp_path / "records" / f"{number:03}").write_bytes(record)
    loading = """
store = LmdbStore.open(DIRECTORY, TYPES)
def records():
    for number, path in enumerate(sorted(Path(sys.argv[2]).iterdir())):
        if number == 15:
            os.kill(os.getpid(), signal.SIGKILL)
        yield path.read_bytes()
store.load(records())
"""
    process = script(loading, tmp_path / "other", tmp_path / "records")
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    other = open_store(tmp_path / "other")
    assert (other.head(), list(other.streams())) == (0, [])
    assert other.load(source.records()) == 20


def test_a_fork_is_refused(run_script: Callable[..., list[str]], tmp_path: Path) -> None:
    """In a fork the store refuses every use, where LMDB would seem to work; the parent's goes on."""
    lines = run_script(
        """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 and later warn of a fork beside threads
store = LmdbStore.open(DIRECTORY, TYPES)
append(store, "a", 0, {})
child = os.fork()
if child == 0:
    refused = 0
    for use in (store.head, lambda: ask(store, "a", 1, {}), lambda: store.load([]), store.read_all):
        try:
            use()
        except StoreClosedError as error:
            refused += "after the fork" in str(error)
    store.close()
    os._exit(refused)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(append(store, "a", 1, {}).version)
store.close()
""",
        tmp_path / "log",
    )
    assert lines == ["4", "2"]


def test_closing_commits_what_is_queued(tmp_path: Path, types: EventTypes) -> None:
    """Appends that wait when the store closes are committed first."""
    store = LmdbStore.open(tmp_path / "log", types)
    futures = [store.append(Append("a", n, (NewEvent("Made", {}, 1),))) for n in range(500)]
    store.close()
    assert [future.result(0).version for future in futures] == list(range(1, 501))
    with pytest.raises(StoreClosedError):
        store.head()


def test_an_iterator_that_outlives_its_store_says_so(
    open_store: Callable[..., LmdbStore], append: Callable[..., Appended]
) -> None:
    """A read that goes on after close raises StoreClosedError at its next page; it never touches the closed map."""
    store = open_store()
    for version in range(4):
        append(store, "a", version, 700_000)
    found = store.read_all()
    next(found)
    store.close()
    with pytest.raises(StoreClosedError):
        list(found)
