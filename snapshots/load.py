"""Loads pods: everything is verified on the way into a new generation, and only a whole one is handed out."""

import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from relambda.snapshots.archive import END, ArchiveReader, Progress, Readable, space, unwatched
from relambda.snapshots.errors import PodTooLargeError, StateNotEmptyError
from relambda.snapshots.incoming import IncomingBlobs
from relambda.snapshots.pod import LOCK_SECONDS, LOG_FOLDER, Manifest, read_manifest
from relambda.snapshots.refusals import told_as_refusals
from relambda.snapshots.verification import PodReceiver
from relambda.store.blobs import Blobs
from relambda.store.interface import EventTypes
from relambda.store.lock import StateLock
from relambda.store.log import LmdbStore
from relambda.store.state_dir import StateDirectory

_INCOMING = "incoming"
_LOG_GROWTH = 3
"""Bytes the log may take on the disk for each byte of events: the records, their index, and half-full pages."""
_SPARE_BYTES = 64 * 1024 * 1024
"""What a load leaves free, and an empty log takes."""


@dataclass(frozen=True, slots=True)
class LoadedPod:
    """A generation that `StateDirectory.adopt` may make the current one, and what is in it."""

    generation: Path
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class ImportedPod:
    """What an import has put in place, and where the state it replaced is kept (None when there was none)."""

    manifest: Manifest
    generation: Path
    backup: Path | None


def load_pod(
    source: Readable, state: StateDirectory, blobs: Blobs, types: EventTypes, progress: Progress = unwatched
) -> LoadedPod:
    """Verify a pod and make a new generation of it, with its log closed; the current state is not touched.

    The caller holds the state's lock, adopts the generation, or removes it. The cloud may run meanwhile: give its own
    `blobs`. Blobs are moved there last; if adopting fails then, those no event names stay, and do no harm.
    Raises PodRefusedError with nothing left behind; what `source` raises comes through in the same way.
    """
    reader = ArchiveReader(source, progress)
    manifest = read_manifest(reader)
    _check_room(state, manifest)
    reader.total = _announced(manifest, reader)
    generation = state.new_generation()
    try:
        with told_as_refusals():
            _fill(generation, reader, manifest, blobs, types)
    except BaseException:
        shutil.rmtree(generation)
        raise
    return LoadedPod(generation, manifest)


def import_pod(
    state_dir: Path,
    source: Readable,
    *,
    replace: bool,
    types: EventTypes,
    progress: Progress = unwatched,
    lock_seconds: float = LOCK_SECONDS,
) -> ImportedPod:
    """Load a pod into a stopped cloud's state directory, which is made if need be; wait for one that is stopping.

    With `replace` the former state stays as the one backup. Raises StateNotEmptyError without it when there are events,
    StoreBusyError when the cloud runs, and what `load_pod` raises; the state is what it was then.
    """
    state = StateDirectory(state_dir)
    with StateLock(state.lock_path, lock_seconds):
        former = state.current()
        state.discard_unadopted()
        held = (former / LOG_FOLDER).is_dir()
        if held and not replace:
            _check_empty(former, types)
        loaded = load_pod(source, state, Blobs(state.blobs_path), types, progress)
        return ImportedPod(loaded.manifest, state.adopt(loaded.generation), former if held else None)


def _fill(generation: Path, reader: ArchiveReader, manifest: Manifest, blobs: Blobs, types: EventTypes) -> None:
    incoming = IncomingBlobs(Blobs(generation / _INCOMING), blobs)
    with closing(LmdbStore.open(generation / LOG_FOLDER, types)) as store:
        PodReceiver(reader, manifest).receive(store, incoming)
    incoming.publish()
    shutil.rmtree(generation / _INCOMING)


def _check_empty(generation: Path, types: EventTypes) -> None:
    with closing(LmdbStore.open(generation / LOG_FOLDER, types)) as store:
        head = store.head()
    if head:
        raise StateNotEmptyError(
            f"{generation.parent.parent} holds a state of {head} events; ask to replace it (it is kept as a backup),"
            " or import into another state directory"
        )


def _check_room(state: StateDirectory, manifest: Manifest) -> None:
    needed = _LOG_GROWTH * manifest.events.bytes + manifest.blobs.bytes + _SPARE_BYTES
    folder = next(path for path in state.blobs_path.parents if path.is_dir())
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise PodTooLargeError(
            f"the pod declares content that takes up to {needed} bytes, and {folder} has {free} bytes free;"
            " free some space, or import into a state directory on a larger disk"
        )


def _announced(manifest: Manifest, reader: ArchiveReader) -> int:
    """The pod's size but for the filling of its blobs' blocks, which is not known before: at most 1 KiB a blob."""
    blobs = manifest.blobs
    return reader.position + space(manifest.events.bytes) + blobs.bytes + 1024 * blobs.count + len(END)
