"""A pod's format: the manifest, the names and order of members, and how events are framed. DESIGN.md says why."""

import hashlib
import struct
from collections.abc import Generator, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Any, TypeAlias

import msgspec

from relambda.snapshots.archive import ArchiveReader, Member
from relambda.snapshots.errors import NewerPodError, PodDamagedError
from relambda.store.codec import MAX_RECORD_BYTES

POD_FORMAT = 1
"""The format this release writes; any change of what follows raises it. It is the manifest that says the format, so
the manifest stays the first member, a JSON object with a number `format`, in every format."""

KIND = "relambda pod"
MANIFEST, EVENTS, BLOBS = "manifest.json", "events", "blobs/"
MAX_MANIFEST_BYTES = 4096
MAX_BLOBS = 1_000_000
"""More blobs than this no pod holds: their names are kept in memory, about 100 bytes each."""
LOCK_SECONDS = 5.0
"""How long an export or import of a state directory waits for its lock."""
LOG_FOLDER = "log"
"""Where in a generation of the state directory its log is."""

Size: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=(1 << 62))]
Sha256: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]

_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class EventsEntry:
    """The member `events`: how many events, the position of the last one, its bytes, their sha256."""

    count: Size
    head: Size
    bytes: Size
    sha256: Sha256


@dataclass(frozen=True, slots=True)
class BlobsEntry:
    """The blobs: how many, their bytes in all, the sha256 of their listing (see `Listing`).

    `absent` blobs are named by events and were not in the state that was exported.
    """

    count: Size
    bytes: Size
    sha256: Sha256
    absent: Size


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a pod declares of itself; all of it is checked when it is loaded."""

    events: EventsEntry
    blobs: BlobsEntry
    kind: str = KIND
    format: int = POD_FORMAT

    def encode(self) -> bytes:
        """The one JSON text of this manifest."""
        return msgspec.json.format(msgspec.json.encode(self, order="sorted")) + b"\n"

    def document(self) -> dict[str, Any]:
        """The same as a plain document, for those who show it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Said:
    kind: str
    format: int


class Listing:
    """The digest over all blobs in order, each as its sha256, a space, its size in decimal and a newline."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.count = self.bytes = 0

    def add(self, sha256: str, size: int) -> None:
        """The next blob."""
        self._digest.update(b"%s %d\n" % (sha256.encode(), size))
        self.count += 1
        self.bytes += size

    def entry(self, absent: int) -> BlobsEntry:
        """What the manifest says of these blobs."""
        return BlobsEntry(self.count, self.bytes, self._digest.hexdigest(), absent)


def read_manifest(reader: ArchiveReader) -> Manifest:
    """Read the first member; NewerPodError for a newer format, PodDamagedError when it is no manifest of a pod."""
    member = reader.member()
    if member.name != MANIFEST or member.size > MAX_MANIFEST_BYTES:
        raise PodDamagedError(f"this file is no pod: it does not begin with a {MANIFEST} of {MAX_MANIFEST_BYTES} bytes")
    data = reader.read(member.size)
    reader.finish(member)
    return decode_manifest(data)


def decode_manifest(data: bytes) -> Manifest:
    """The inverse of `Manifest.encode`, for exactly what it gives."""
    try:
        _check_format(msgspec.json.decode(data, type=_Said))
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PodDamagedError(f"the pod's manifest cannot be read ({error}); transfer or export it again") from error
    if manifest.encode() != data:
        raise PodDamagedError("the pod's manifest was changed since it was written; transfer or export it again")
    return manifest


def frame(record: bytes) -> bytes:
    """A record as it stands in the member `events`: its length in four big-endian bytes, then itself."""
    return _LENGTH.pack(len(record)) + record


def frames_in(reader: ArchiveReader, size: int) -> Iterator[bytes]:
    """The frames in the next `size` bytes, whole; no length is believed that does not fit."""
    while size:
        where = reader.position
        head = reader.read(min(size, _LENGTH.size))
        length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 0
        size -= len(head)
        if not 0 < length <= min(size, MAX_RECORD_BYTES):
            raise PodDamagedError(f"the event at byte {where} of the pod cannot have {length} bytes; export it again")
        size -= length
        yield head + reader.read(length)


def record_of(framed: bytes) -> bytes:
    """The inverse of `frame`."""
    return framed[_LENGTH.size :]


def framed_size(record: bytes) -> int:
    """How many bytes a record takes in the member `events`."""
    return _LENGTH.size + len(record)


def blob_member(sha256: str, size: int) -> Member:
    """The member that holds a blob."""
    return Member(BLOBS + sha256, size)


def joined(pieces: Iterable[bytes], size: int) -> Generator[bytes, None, None]:
    """The same bytes in pieces of at least `size`, but for the last."""
    gathered = bytearray()
    for piece in pieces:
        gathered += piece
        if len(gathered) >= size:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


def _check_format(said: _Said) -> None:
    if said.kind != KIND or said.format < 1:
        raise PodDamagedError(f"this file is no pod: its manifest says {said.kind[:40]!r} and format {said.format}")
    if said.format > POD_FORMAT:
        raise NewerPodError(
            f"the pod is in format {said.format}, this release knows up to {POD_FORMAT}; load it with a newer release"
        )
