"""A small state to make pods of, and one pass of the verification over bytes."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from relambda.snapshots.archive import ArchiveReader, Readable
from relambda.snapshots.export import write_pod
from relambda.snapshots.incoming import IncomingBlobs
from relambda.snapshots.pod import Manifest, read_manifest
from relambda.snapshots.verification import PodReceiver
from relambda.store.blobs import Blobs
from relambda.store.interface import EventTypes
from relambda.store.memory import MemoryStore
from relambda.store.records import Append, Data, NewEvent

Receive = Callable[[bytes], tuple[MemoryStore, Blobs, Manifest]]


@pytest.fixture(scope="session")
def types() -> EventTypes:
    return EventTypes(versions={"Stored": 1, "Noted": 1}, upcasters={})


@pytest.fixture(scope="session")
def fill(types: EventTypes) -> Callable[[Sequence[Data]], MemoryStore]:
    """Make a store in which each payload is an event, in one of three streams by turns."""

    def make(payloads: Sequence[Data]) -> MemoryStore:
        store = MemoryStore(types)
        for number, data in enumerate(payloads):
            stream = f"function/{number % 3}"
            append = Append(stream, store.version(stream), (NewEvent("Stored", data, number),))
            store.append(append).result(1)
        return store

    return make


@pytest.fixture
def small_pod(tmp_path: Path, fill: Callable[[Sequence[Data]], MemoryStore]) -> bytes:
    """A pod of three events and two blobs."""
    blobs = Blobs(tmp_path / "origin")
    payloads: list[Data] = [{"sha256": blobs.put(content)} for content in (b"one", b"two")]
    out = io.BytesIO()
    write_pod(fill([*payloads, {"name": "plain"}]), blobs, out)
    return out.getvalue()


def _pass_over(source: Readable, types: EventTypes, directory: Path, kept: Blobs) -> tuple[MemoryStore, Manifest]:
    store, incoming = MemoryStore(types), IncomingBlobs(Blobs(directory / "staged"), kept)
    reader = ArchiveReader(source)
    manifest = read_manifest(reader)
    PodReceiver(reader, manifest).receive(store, incoming)
    incoming.publish()
    return store, manifest


@pytest.fixture
def receive(tmp_path: Path, types: EventTypes) -> Receive:
    """Verify a pod's bytes into a new store in memory and into the blobs below "kept"."""
    kept = Blobs(tmp_path / "kept")

    def run(pod: bytes) -> tuple[MemoryStore, Blobs, Manifest]:
        store, manifest = _pass_over(io.BytesIO(pod), types, tmp_path, kept)
        return store, kept, manifest

    return run


@pytest.fixture
def receive_from(tmp_path: Path, types: EventTypes) -> Callable[[Readable], MemoryStore]:
    """The same from any source."""
    return lambda source: _pass_over(source, types, tmp_path, Blobs(tmp_path / "kept"))[0]


@pytest.fixture(scope="session")
def receive_into(types: EventTypes) -> Callable[[Path, bytes], tuple[MemoryStore, Blobs]]:
    """The same into a folder of its own."""

    def run(directory: Path, pod: bytes) -> tuple[MemoryStore, Blobs]:
        kept = Blobs(directory / "kept")
        return _pass_over(io.BytesIO(pod), types, directory, kept)[0], kept

    return run
