"""An import that is killed at any moment leaves the former state or, once adopted, the new one; never a mixture."""

import io
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from relambda.snapshots.export import export_pod
from relambda.snapshots.load import import_pod
from relambda.store.blobs import Blobs
from relambda.store.interface import EventTypes
from relambda.store.log import LmdbStore
from relambda.store.records import Append, NewEvent
from relambda.store.state_dir import StateDirectory

TYPES = EventTypes(versions={"Stored": 1}, upcasters={})
START = """
import os, sys, threading
from pathlib import Path
from relambda.snapshots.load import import_pod, load_pod
from relambda.store.blobs import Blobs
from relambda.store.interface import EventTypes
from relambda.store.lock import StateLock
from relambda.store.state_dir import StateDirectory

class Source:
    done = 0
    def read(self, size):
        data = os.read(0, min(size, 1024))
        self.done += len(data)
        print(self.done, flush=True)
        return data

types, path = EventTypes({"Stored": 1}, {}), Path(sys.argv[1])
"""
IMPORT = (
    START
    + """
import_pod(path, Source(), replace=True, types=types)
print("imported", flush=True)
"""
)
LOAD = (
    START
    + """
state = StateDirectory(path)
with StateLock(state.lock_path):
    load_pod(Source(), state, Blobs(state.blobs_path), types)
    print("loaded", flush=True)
    threading.Event().wait(60)
"""
)


def fill(path: Path, contents: list[bytes]) -> bytes:
    """Make a state with an event and a blob for each content; return its pod."""
    state = StateDirectory(path)
    blobs = Blobs(state.blobs_path)
    with closing(LmdbStore.open(state.current() / "log", TYPES)) as store:
        for number, content in enumerate(contents):
            event = NewEvent("Stored", {"sha256": blobs.put(content)}, 7)
            store.append(Append(f"function/{number}", 0, (event,))).result(10)
    return pod_of(path)


def pod_of(path: Path) -> bytes:
    out = io.BytesIO()
    export_pod(path, out, TYPES)
    return out.getvalue()


@contextmanager
def program(code: str, path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that loads what it gets on standard input, killed at the end."""
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(30)


def give(process: "subprocess.Popen[bytes]", data: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(data)


def wait_for(process: "subprocess.Popen[bytes]", line: bytes) -> None:
    assert process.stdout is not None
    seen: list[bytes] = []
    while (said := process.stdout.readline().strip()) != line:
        assert said, f"the program ended after {seen[-3:]}"
        seen.append(said)


@pytest.fixture
def origin(tmp_path: Path) -> bytes:
    return fill(tmp_path / "origin", [b"new one", b"shared", b"new two"])


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_kill_on_the_way_leaves_the_former_state(tmp_path: Path, origin: bytes, share: float) -> None:
    """Given an import of which a part has arrived, when it is killed, then the former state is whole, and usable."""
    former = fill(tmp_path / "state", [b"mine", b"shared"])
    names = list(Blobs(tmp_path / "state" / "blobs").all())
    given = int(len(origin) * share)
    with program(IMPORT, tmp_path / "state") as process:
        give(process, origin[:given])
        wait_for(process, str(given).encode())
    assert pod_of(tmp_path / "state") == former
    assert list(Blobs(tmp_path / "state" / "blobs").all()) == names


def test_a_kill_before_the_swap_leaves_the_former_state(tmp_path: Path, origin: bytes) -> None:
    """Given a load that is done and not adopted, when it is killed, then the former state is whole."""
    former = fill(tmp_path / "state", [b"mine", b"shared"])
    with program(LOAD, tmp_path / "state") as process:
        give(process, origin)
        assert process.stdin is not None
        process.stdin.close()
        wait_for(process, b"loaded")
    assert pod_of(tmp_path / "state") == former


def test_an_import_after_a_killed_one_is_whole(tmp_path: Path, origin: bytes) -> None:
    """Given a directory in which an import was killed, when it is done again, then it is in place and no rest is."""
    fill(tmp_path / "state", [b"mine"])
    with program(IMPORT, tmp_path / "state") as process:
        give(process, origin[:-1])
        wait_for(process, str(len(origin) - 1).encode())
    import_pod(tmp_path / "state", io.BytesIO(origin), replace=True, types=TYPES)
    assert pod_of(tmp_path / "state") == origin
    assert sorted(entry.name for entry in (tmp_path / "state" / "generations").iterdir()) == ["1", "2"]


def test_a_kill_after_the_swap_leaves_the_new_state(tmp_path: Path, origin: bytes) -> None:
    """Given an import that says it is done, when its process is killed, then the new state is there."""
    fill(tmp_path / "state", [b"mine"])
    with program(IMPORT, tmp_path / "state") as process:
        give(process, origin)
        assert process.stdin is not None
        process.stdin.close()
        wait_for(process, b"imported")
    assert pod_of(tmp_path / "state") == origin


@pytest.mark.parametrize("attempt", range(8))
def test_a_kill_about_the_swap_leaves_one_of_both(tmp_path: Path, origin: bytes, attempt: int) -> None:
    """Given an import that has all it needs, when it is killed at once, then the state is the former or the new one."""
    former = fill(tmp_path / "state", [b"mine"])
    with program(IMPORT, tmp_path / "state") as process:
        give(process, origin)
        assert process.stdin is not None
        process.stdin.close()
        wait_for(process, str(len(origin)).encode())
    assert pod_of(tmp_path / "state") in {former, origin}
