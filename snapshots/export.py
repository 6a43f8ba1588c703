"""Writes pods: two passes over the same events, so that the manifest can come first and nothing is held in memory."""

import hashlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from relambda.snapshots.archive import CHUNK_BYTES, END, Member, Progress, header, padding, space, unwatched
from relambda.snapshots.errors import NoStateError, PodTooLargeError
from relambda.snapshots.naming import blobs_named
from relambda.snapshots.pod import (
    EVENTS,
    LOCK_SECONDS,
    LOG_FOLDER,
    MANIFEST,
    MAX_BLOBS,
    EventsEntry,
    Listing,
    Manifest,
    blob_member,
    frame,
    framed_size,
    joined,
)
from relambda.store.blobs import Blobs
from relambda.store.errors import CorruptStoreError
from relambda.store.interface import EventTypes, Store
from relambda.store.lock import StateLock
from relambda.store.log import LmdbStore
from relambda.store.state_dir import StateDirectory


@dataclass(frozen=True, slots=True)
class PodPlan:
    """A pod that is decided on, byte for byte: the events up to a head, and the blobs they name."""

    manifest: Manifest
    listing: tuple[tuple[str, int], ...]
    """The blobs' sha256 and size, in order."""
    store: Store
    blobs: Blobs

    @property
    def size(self) -> int:
        """How many bytes the pod has."""
        members = [len(self.manifest.encode()), self.manifest.events.bytes, *(size for _, size in self.listing)]
        return sum(map(space, members)) + len(END)

    def chunks(self) -> Generator[bytes, None, None]:
        """The pod's bytes, in pieces of some 256 KiB; the cloud may be written to meanwhile.

        Raises CorruptStoreError when a record or a blob is not what it was or must be: then what came is no pod.
        """
        return joined(self._pieces(), CHUNK_BYTES)

    def _pieces(self) -> Iterator[bytes]:
        data, events = self.manifest.encode(), self.manifest.events
        yield from _member(Member(MANIFEST, len(data)), [data])
        framed = map(frame, islice(self.store.records(), events.count))
        yield from _member(Member(EVENTS, events.bytes), _exactly(framed, events.bytes, events.sha256, "the log"))
        for sha256, size in self.listing:
            yield from _member(blob_member(sha256, size), _exactly(self._blob(sha256), size, sha256, f"blob {sha256}"))
        yield END

    def _blob(self, sha256: str) -> Iterator[bytes]:
        with self.blobs.open(sha256) as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk


def plan_pod(store: Store, blobs: Blobs) -> PodPlan:
    """Decide on a pod of the state as it is now: one pass over the events, and a look at each blob's size.

    Whoever removes blobs must not do so until the pod is written. Raises PodTooLargeError beyond `MAX_BLOBS`.
    """
    digest, size, count, named = hashlib.sha256(), 0, 0, set[bytes]()
    for record in store.records():
        digest.update(frame(record))
        size += framed_size(record)
        count += 1
        named.update(blobs_named(record))
        if len(named) > MAX_BLOBS:
            raise PodTooLargeError(f"the events name more than {MAX_BLOBS} blobs, which is more than a pod can hold")
    there = [sha256 for sha256 in sorted(name.hex() for name in named) if blobs.exists(sha256)]
    listing = tuple((sha256, blobs.size(sha256)) for sha256 in there)
    events = EventsEntry(count, count, size, digest.hexdigest())
    return PodPlan(Manifest(events, _listed(listing).entry(len(named) - len(there))), listing, store, blobs)


def pod_chunks(store: Store, blobs: Blobs) -> Generator[bytes, None, None]:
    """A pod of the state as it is now, in pieces; `plan_pod` tells its size before."""
    return plan_pod(store, blobs).chunks()


def write_pod(store: Store, blobs: Blobs, out: BinaryIO, progress: Progress = unwatched) -> Manifest:
    """Write a pod of the state as it is now; flushing and syncing `out` is the caller's."""
    plan, done = plan_pod(store, blobs), 0
    total = plan.size
    with closing(plan.chunks()) as chunks:
        for chunk in chunks:
            out.write(chunk)
            done += len(chunk)
            progress(done, total)
    return plan.manifest


def export_pod(
    state_dir: Path,
    out: BinaryIO,
    types: EventTypes,
    progress: Progress = unwatched,
    *,
    lock_seconds: float = LOCK_SECONDS,
) -> Manifest:
    """Write a pod of a stopped cloud's state; wait `lock_seconds` for one that is stopping.

    Raises NoStateError when there is none, StoreBusyError when the cloud runs, and what opening a log raises.
    """
    if not (state_dir / "CURRENT").is_file():
        raise NoStateError(f"there is no state in {state_dir}; name the state directory of a cloud that was started")
    state = StateDirectory(state_dir)
    with (
        StateLock(state.lock_path, lock_seconds),
        closing(LmdbStore.open(state.current() / LOG_FOLDER, types)) as store,
    ):
        return write_pod(store, Blobs(state.blobs_path), out, progress)


def _member(member: Member, content: Iterable[bytes]) -> Iterator[bytes]:
    yield header(member)
    yield from content
    yield padding(member.size)


def _exactly(pieces: Iterable[bytes], size: int, sha256: str, what: str) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for piece in pieces:
        size -= len(piece)
        digest.update(piece)
        if size < 0:
            break
        yield piece
    if size or digest.hexdigest() != sha256:
        raise CorruptStoreError(f"{what} is damaged, or was changed during the export; restore it from an earlier pod")


def _listed(blobs: Iterable[tuple[str, int]]) -> Listing:
    listing = Listing()
    for sha256, size in blobs:
        listing.add(sha256, size)
    return listing
