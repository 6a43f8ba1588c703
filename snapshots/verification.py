"""Reads a pod into an empty log and into incoming blobs, and takes nothing on trust on the way."""

import hashlib
from collections.abc import Iterator

from relambda.snapshots.archive import ArchiveReader
from relambda.snapshots.errors import HostilePodError, PodDamagedError, PodTooLargeError
from relambda.snapshots.incoming import IncomingBlobs
from relambda.snapshots.naming import SHA256, blobs_named
from relambda.snapshots.pod import BLOBS, EVENTS, MAX_BLOBS, Listing, Manifest, frames_in, record_of
from relambda.snapshots.refusals import told_as_refusals
from relambda.snapshots.weight import check_weight
from relambda.store.interface import Store


class PodReceiver:
    """One pass over what follows the manifest; for one thread, once.

    The order is that of the archive: the events say which blobs may come, the manifest how many and how large.
    """

    def __init__(self, reader: ArchiveReader, manifest: Manifest) -> None:
        self._reader, self._manifest = reader, manifest
        self._named: set[bytes] = set()

    def receive(self, store: Store, incoming: IncomingBlobs) -> None:
        """Load everything, or raise a PodRefusedError; what the source raises comes through."""
        with told_as_refusals():
            self._receive_events(store)
            self._receive_blobs(incoming)
            self._reader.end()

    def _receive_events(self, store: Store) -> None:
        declared = self._manifest.events
        member = self._reader.member()
        if (member.name, member.size) != (EVENTS, declared.bytes):
            raise HostilePodError("the pod's second member is not the events its manifest declares; do not trust it")
        head = store.load(self._records())
        self._reader.finish(member)
        if head != declared.head:
            raise PodDamagedError(f"the pod's events go to position {head}, its manifest says {declared.head}")

    def _records(self) -> Iterator[bytes]:
        declared, digest, count = self._manifest.events, hashlib.sha256(), 0
        for framed in frames_in(self._reader, declared.bytes):
            digest.update(framed)
            count += 1
            record = record_of(framed)
            check_weight(record)
            self._named.update(blobs_named(record))
            if len(self._named) > MAX_BLOBS:
                raise PodTooLargeError(f"the pod names more than {MAX_BLOBS} blobs; no release loads so many")
            yield record
        if (count, digest.hexdigest()) != (declared.count, declared.sha256):
            raise PodDamagedError("the pod's events are not those its manifest was written for; export it again")

    def _receive_blobs(self, incoming: IncomingBlobs) -> None:
        listing, declared, former = Listing(), self._manifest.blobs, ""
        while listing.count < declared.count:
            former = self._receive_blob(incoming, listing, former)
        if listing.entry(len(self._named) - listing.count) != declared:
            raise PodDamagedError("the pod's blobs are not those its manifest was written for; export it again")

    def _receive_blob(self, incoming: IncomingBlobs, listing: Listing, former: str) -> str:
        member = self._reader.member()
        sha256 = member.name.removeprefix(BLOBS)
        if member.name == sha256 or not self._is_named(sha256):
            raise HostilePodError(
                f"the pod holds {member.name[:80]!a}, which none of its events names; do not trust it"
            )
        if sha256 <= former:
            raise HostilePodError(f"the pod holds blob {sha256} twice or out of order; do not trust it")
        if listing.bytes + member.size > self._manifest.blobs.bytes:
            raise HostilePodError(f"blob {sha256} is larger than the pod's manifest admits; do not trust it")
        incoming.take(sha256, member.size, self._reader.chunks(member.size))
        self._reader.finish(member)
        listing.add(sha256, member.size)
        return sha256

    def _is_named(self, sha256: str) -> bool:
        return SHA256.fullmatch(sha256) is not None and bytes.fromhex(sha256) in self._named
