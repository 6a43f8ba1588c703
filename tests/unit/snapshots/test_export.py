"""Writing pods: the same state gives the same bytes, and a moment is a moment."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relambda.snapshots.archive import CHUNK_BYTES
from relambda.snapshots.export import plan_pod, pod_chunks, write_pod
from relambda.store.blobs import Blobs
from relambda.store.errors import CorruptStoreError
from relambda.store.memory import MemoryStore
from relambda.store.records import Append, Data, NewEvent

Fill = Callable[[Sequence[Data]], MemoryStore]


def test_the_same_state_gives_the_same_bytes(tmp_path: Path, fill: Fill) -> None:
    """Given two clouds with the same events, whose blobs came in another order, then their pods are the same bytes."""
    first, second = Blobs(tmp_path / "1"), Blobs(tmp_path / "2")
    names = [first.put(content) for content in (b"one", b"two", b"three")]
    for content in (b"three", b"nobody names me", b"one", b"two"):
        second.put(content)
    store = fill([{"sha256": name} for name in names])
    twin = fill([{"sha256": name} for name in names])
    assert b"".join(pod_chunks(store, first)) == b"".join(pod_chunks(twin, second))


@settings(deadline=None)
@given(st.lists(st.binary(max_size=1500), max_size=4))
def test_its_size_is_known_before(tmp_path_factory: pytest.TempPathFactory, fill: Fill, contents: list[bytes]) -> None:
    """Given a state, when a pod is planned, then its size is that of its bytes."""
    blobs = Blobs(tmp_path_factory.mktemp("blobs"))
    plan = plan_pod(fill([{"code": {"sha256": blobs.put(content)}} for content in contents]), blobs)
    assert plan.size == len(b"".join(plan.chunks()))


def test_what_is_written_meanwhile_is_not_in_it(tmp_path: Path, fill: Fill) -> None:
    """Given an export that has begun, when more is written before it ends, then it holds its moment alone."""
    blobs = Blobs(tmp_path)
    store = fill([{"sha256": blobs.put(b"one")}, {"n": 2}])
    expected = b"".join(pod_chunks(store, blobs))
    chunks = plan_pod(store, blobs).chunks()
    store.append(Append("late", 0, (NewEvent("Stored", {"sha256": blobs.put(b"late")}, 1),))).result(1)
    assert b"".join(chunks) == expected


def test_large_blobs_are_streamed(tmp_path: Path, fill: Fill) -> None:
    """Given a blob of many chunks, when a pod is written, then no piece is much larger than a chunk."""
    blobs = Blobs(tmp_path)
    store = fill([{"sha256": blobs.put(bytes(8 * CHUNK_BYTES))}])
    assert max(map(len, pod_chunks(store, blobs))) < 2 * CHUNK_BYTES + 4096


def test_progress_goes_to_the_end(tmp_path: Path, fill: Fill) -> None:
    """Given somebody who watches, when a pod is written, then they see it grow to its whole size."""
    blobs, out, seen = Blobs(tmp_path), io.BytesIO(), list[tuple[int, int]]()
    write_pod(fill([{"sha256": blobs.put(bytes(3 * CHUNK_BYTES))}]), blobs, out, lambda *pair: seen.append(pair))
    size = len(out.getvalue())
    assert len(seen) > 1
    assert seen[-1] == (size, size)
    assert {total for _, total in seen} == {size}


def test_a_name_without_a_blob_is_counted(tmp_path: Path, fill: Fill) -> None:
    """Given an event that names a blob that is not there, when a pod is written, then its manifest says so."""
    manifest = write_pod(fill([{"sha256": "ab" * 32}]), Blobs(tmp_path), io.BytesIO())
    assert (manifest.blobs.count, manifest.blobs.absent) == (0, 1)


@pytest.mark.parametrize("content", [b"on", b"onE", b"one more"])
def test_a_damaged_blob_makes_no_pod(tmp_path: Path, fill: Fill, content: bytes) -> None:
    """Given a blob whose file was damaged, when a pod is written, then that is told, not exported."""
    blobs = Blobs(tmp_path)
    name = blobs.put(b"one")
    store = fill([{"sha256": name}])
    blobs.path(name).write_bytes(content)
    with pytest.raises(CorruptStoreError, match=name):
        write_pod(store, blobs, io.BytesIO())


def test_an_export_can_be_broken_off(tmp_path: Path, fill: Fill) -> None:
    """Given an export whose reader goes away, when it is closed, then no file stays open."""
    blobs = Blobs(tmp_path)
    chunks = pod_chunks(fill([{"sha256": blobs.put(bytes(8 * CHUNK_BYTES))}]), blobs)
    next(chunks)
    next(chunks)
    chunks.close()
    assert list(chunks) == []
