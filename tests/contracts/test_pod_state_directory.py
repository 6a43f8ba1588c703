"""Pods of state directories: out of one, into another, and never half."""

import io
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relambda.snapshots.archive import END, Member, header, padding
from relambda.snapshots.errors import NewerPodError, NoStateError, PodRefusedError, PodTooLargeError, StateNotEmptyError
from relambda.snapshots.export import export_pod, pod_chunks
from relambda.snapshots.load import import_pod, load_pod
from relambda.snapshots.pod import BlobsEntry, EventsEntry, Manifest
from relambda.store.blobs import Blobs
from relambda.store.errors import NewerFormatError, StoreBusyError
from relambda.store.interface import EventTypes
from relambda.store.lock import StateLock
from relambda.store.log import LmdbStore
from relambda.store.records import Append, NewEvent
from relambda.store.state_dir import StateDirectory

TYPES = EventTypes(versions={"Stored": 1}, upcasters={})


def fill(path: Path, contents: list[bytes]) -> None:
    """Make a state with an event and a blob for each content."""
    state = StateDirectory(path)
    blobs = Blobs(state.blobs_path)
    with closing(LmdbStore.open(state.current() / "log", TYPES)) as store:
        for number, content in enumerate(contents):
            data = {"code": {"sha256": blobs.put(content)}, "memory": 128.5, "bytes": content}
            store.append(Append(f"function/{number}", 0, (NewEvent("Stored", data, 7),))).result(10)


def pod_of(path: Path) -> bytes:
    out = io.BytesIO()
    export_pod(path, out, TYPES)
    return out.getvalue()


def files(path: Path) -> dict[str, bytes]:
    """All that a state consists of, but for the lock and LMDB's own table of readers."""
    found = (Path(folder) / name for folder, _, names in os.walk(path) for name in names)
    return {str(file.relative_to(path)): file.read_bytes() for file in found if file.name not in {"lock", "lock.mdb"}}


@pytest.fixture(scope="module")
def small_pod(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("origin")
    fill(path, [b"one", b"two"])
    return pod_of(path)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[StateDirectory, Blobs, LmdbStore]]:
    """A state that is in use, with three events."""
    fill(tmp_path / "running", [b"a", b"b", b"c"])
    state = StateDirectory(tmp_path / "running")
    with (
        StateLock(state.lock_path),
        closing(LmdbStore.open(state.current() / "log", TYPES)) as store,
    ):
        yield state, Blobs(state.blobs_path), store


@settings(deadline=None, max_examples=15)
@given(st.lists(st.binary(max_size=3000), max_size=5))
def test_a_state_arrives_as_it_left(tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]) -> None:
    """Given any state, when its pod is imported into an empty directory and exported there, then no byte differs."""
    path = tmp_path_factory.mktemp("origin")
    fill(path, contents)
    pod = pod_of(path)
    target = tmp_path_factory.mktemp("target") / "made" / "by" / "the import"
    imported = import_pod(target, io.BytesIO(pod), replace=False, types=TYPES)
    assert pod_of(target) == pod
    assert (imported.manifest.events.head, imported.backup) == (len(contents), None)


def test_a_state_that_was_used_on_gives_what_a_fresh_one_gives(tmp_path: Path, small_pod: bytes) -> None:
    """Given the same events in a log that was opened, closed and loaded often, then the pod has the same bytes."""
    pod = small_pod
    for number in range(3):
        import_pod(tmp_path / str(number), io.BytesIO(pod), replace=False, types=TYPES)
        pod = pod_of(tmp_path / str(number))
    assert pod == small_pod


def test_what_is_there_is_only_replaced_when_asked(tmp_path: Path, small_pod: bytes) -> None:
    """Given a state with events, when a pod is imported without replace, then it is refused, and all is as before."""
    fill(tmp_path, [b"mine"])
    before = files(tmp_path)
    with pytest.raises(StateNotEmptyError, match=r"holds a state of 1 events; ask to replace it"):
        import_pod(tmp_path, io.BytesIO(small_pod), replace=False, types=TYPES)
    assert files(tmp_path) == before


def test_the_replaced_state_is_kept(tmp_path: Path, small_pod: bytes) -> None:
    """Given a state with events, when a pod replaces it, then the former state is where the import says, whole."""
    fill(tmp_path, [b"mine"])
    imported = import_pod(tmp_path, io.BytesIO(small_pod), replace=True, types=TYPES)
    assert pod_of(tmp_path) == small_pod
    assert imported.generation == StateDirectory(tmp_path).current()
    assert imported.backup == StateDirectory(tmp_path).previous()
    assert imported.backup is not None
    with closing(LmdbStore.open(imported.backup / "log", TYPES)) as backup:
        assert [event.data["bytes"] for event in backup.read_all()] == [b"mine"]


def test_a_log_without_events_is_empty(tmp_path: Path, small_pod: bytes) -> None:
    """Given a cloud that was started and never used, when a pod is imported, then nobody needs to ask for replace."""
    fill(tmp_path, [])
    import_pod(tmp_path, io.BytesIO(small_pod), replace=False, types=TYPES)
    assert pod_of(tmp_path) == small_pod


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_pod_changes_nothing(
    running: tuple[StateDirectory, Blobs, LmdbStore], small_pod: bytes, data: st.DataObject
) -> None:
    """Given a running cloud, when a pod with a changed byte or a cut is loaded, then it is refused without a trace."""
    state, blobs, _ = running
    offset = data.draw(st.integers(0, len(small_pod) - 1))
    flip = data.draw(st.integers(0, 255))
    changed = small_pod[:offset] + (bytes([small_pod[offset] ^ flip]) + small_pod[offset + 1 :] if flip else b"")
    before = files(state.blobs_path.parent)
    with pytest.raises(PodRefusedError):
        load_pod(io.BytesIO(changed), state, blobs, TYPES)
    assert files(state.blobs_path.parent) == before


def test_a_failing_source_leaves_no_trace(running: tuple[StateDirectory, Blobs, LmdbStore], small_pod: bytes) -> None:
    """Given a client that goes away in the last block, when its pod is loaded, then its error comes through alone."""
    state, blobs, _ = running
    before = files(state.blobs_path.parent)

    class Source:
        def __init__(self) -> None:
            self.left = io.BytesIO(small_pod[:-100])

        def read(self, size: int, /) -> bytes:
            if data := self.left.read(min(size, 700)):
                return data
            raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        load_pod(Source(), state, blobs, TYPES)
    assert files(state.blobs_path.parent) == before


def test_a_running_cloud_goes_on_until_it_adopts(
    running: tuple[StateDirectory, Blobs, LmdbStore], small_pod: bytes
) -> None:
    """Given a running cloud, when a pod is loaded, then it reads and writes as before, and adopting swaps the whole."""
    state, blobs, store = running
    loaded = load_pod(io.BytesIO(small_pod), state, blobs, TYPES)
    store.append(Append("late", 0, (NewEvent("Stored", {}, 1),))).result(10)
    assert (store.head(), loaded.manifest.events.head) == (4, 2)
    store.close()
    with closing(LmdbStore.open(state.adopt(loaded.generation) / "log", TYPES)) as adopted:
        assert b"".join(pod_chunks(adopted, blobs)) == small_pod


def test_an_export_while_events_are_appended_is_of_one_moment(
    running: tuple[StateDirectory, Blobs, LmdbStore], tmp_path: Path
) -> None:
    """Given a cloud that is written to between any two pieces of its pod, then the pod is whole and loads."""
    _, blobs, store = running
    for _ in range(3):
        store.append(Append("big", store.version("big"), (NewEvent("Stored", {"x": bytes(400_000)}, 1),))).result(10)
    head, pod = store.head(), b""
    for number, chunk in enumerate(pod_chunks(store, blobs)):
        pod += chunk
        late = {"sha256": blobs.put(b"late %d" % number)}
        store.append(Append("late", number, (NewEvent("Stored", late, 1),))).result(10)
    imported = import_pod(tmp_path / "target", io.BytesIO(pod), replace=False, types=TYPES)
    assert store.head() > head + 3
    assert imported.manifest.events.head == head


@pytest.mark.parametrize("events, blobs", [(1 << 60, 0), (0, 1 << 60), ((1 << 62), (1 << 62))])  # noqa: PT006
def test_a_bomb_is_refused_before_it_takes_room(tmp_path: Path, events: int, blobs: int) -> None:
    """Given a manifest that declares more than the disk holds, when it is read, then it is refused, nothing made."""
    declared = Manifest(EventsEntry(1, 1, events, "a" * 64), BlobsEntry(1, blobs, "a" * 64, 0)).encode()
    pod = header(Member("manifest.json", len(declared))) + declared + padding(len(declared)) + END
    state = StateDirectory(tmp_path)
    with pytest.raises(PodTooLargeError, match=r"declares content that takes up to \d+ bytes"):
        load_pod(io.BytesIO(pod), state, Blobs(state.blobs_path), TYPES)
    assert not (tmp_path / "generations").exists()


def test_a_pod_of_unknown_events_is_refused(tmp_path: Path, small_pod: bytes) -> None:
    """Given a release that knows fewer event types, when it imports a pod, then it names what it does not know."""
    with pytest.raises(NewerPodError, match="Stored version 1"):
        import_pod(tmp_path, io.BytesIO(small_pod), replace=False, types=EventTypes({"Other": 1}, {}))


def test_a_state_in_a_newer_format_is_left_alone(tmp_path: Path, small_pod: bytes) -> None:
    """Given a state directory of a newer release, when a pod is to replace it, then it is refused, and untouched."""
    fill(tmp_path, [b"mine"])
    (tmp_path / "FORMAT").write_text("99\n")
    before = files(tmp_path)
    with pytest.raises(NewerFormatError):
        import_pod(tmp_path, io.BytesIO(small_pod), replace=True, types=TYPES)
    assert files(tmp_path) == before


def test_a_damaged_log_can_be_replaced(tmp_path: Path, small_pod: bytes) -> None:
    """Given a state whose log is damaged, when a pod replaces it, then the pod's state is there and the log is kept."""
    fill(tmp_path, [b"mine"])
    (StateDirectory(tmp_path).current() / "log" / "data.mdb").write_bytes(b"rubbish")
    imported = import_pod(tmp_path, io.BytesIO(small_pod), replace=True, types=TYPES)
    assert pod_of(tmp_path) == small_pod
    assert imported.backup is not None
    assert (imported.backup / "log" / "data.mdb").read_bytes() == b"rubbish"


def test_a_running_cloud_s_directory_is_refused(
    running: tuple[StateDirectory, Blobs, LmdbStore], small_pod: bytes
) -> None:
    """Given a cloud that runs, when its directory is exported or imported into directly, then it is named as in use."""
    path = running[0].blobs_path.parent
    with pytest.raises(StoreBusyError, match=str(os.getpid())):
        export_pod(path, io.BytesIO(), TYPES, lock_seconds=0.1)
    with pytest.raises(StoreBusyError, match=str(os.getpid())):
        import_pod(path, io.BytesIO(small_pod), replace=True, types=TYPES, lock_seconds=0.1)


def test_there_must_be_a_state_to_export(tmp_path: Path) -> None:
    """Given a folder without a state, when it is exported, then it is refused, and no state is made there."""
    with pytest.raises(NoStateError):
        export_pod(tmp_path, io.BytesIO(), TYPES)
    assert list(tmp_path.iterdir()) == []
