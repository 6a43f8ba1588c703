"""Reading pods: what was written comes back, and whatever else arrives is refused."""

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relambda.snapshots.archive import END, Member, header, padding
from relambda.snapshots.errors import HostilePodError, NewerPodError, PodDamagedError, PodRefusedError
from relambda.snapshots.export import pod_chunks
from relambda.snapshots.pod import EVENTS, MANIFEST, EventsEntry, Listing, Manifest, blob_member, frame
from relambda.store.blobs import Blobs
from relambda.store.codec import encode
from relambda.store.memory import MemoryStore
from relambda.store.records import Data, RecordedEvent

Receive = Callable[[bytes], tuple[MemoryStore, Blobs, Manifest]]
Fill = Callable[[Sequence[Data]], MemoryStore]

LEAVES = st.none() | st.booleans() | st.integers(-(1 << 63), 1 << 63) | st.floats() | st.text() | st.binary()
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def event(position: int, data: Data | None = None, *, version: int = 0, name: str = "Stored") -> bytes:
    return encode(RecordedEvent(position, "function/f", version or position, name, 1, 0, data or {}))


def member(name: str, content: bytes) -> bytes:
    return header(Member(name, len(content))) + content + padding(len(content))


def manifest_of(framed: bytes, count: int, blobs: Sequence[bytes], absent: int = 0) -> Manifest:
    listing = Listing()
    for content in blobs:
        listing.add(sha256(content), len(content))
    return Manifest(EventsEntry(count, count, len(framed), sha256(framed)), listing.entry(absent))


def forged(records: Sequence[bytes], blobs: Sequence[bytes] = (), absent: int = 0, **lies: Any) -> bytes:
    """A pod by hand: consistent in itself, but for what `lies` say in the manifest."""
    framed = b"".join(map(frame, records))
    manifest = manifest_of(framed, len(records), blobs, absent)
    for path, value in lies.items():
        entry, _, name = path.partition("_")
        manifest = replace(manifest, **{entry: replace(getattr(manifest, entry), **{name: value})})
    members = [member(MANIFEST, manifest.encode()), member(EVENTS, framed)]
    return b"".join(members + [member(f"blobs/{sha256(content)}", content) for content in blobs]) + END


def naming(*contents: bytes) -> list[bytes]:
    return [event(number, {"sha256": sha256(content)}) for number, content in enumerate(contents, 1)]


def by_name(*contents: bytes) -> list[bytes]:
    return sorted(contents, key=sha256)


@settings(deadline=None)
@given(st.lists(st.tuples(st.dictionaries(st.text(), VALUES, max_size=3), st.binary(max_size=600)), max_size=6))
def test_a_pod_of_a_loaded_pod_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, fill: Fill, receive_into: Callable[[Path, bytes], Any], state: list[Any]
) -> None:
    """Given any state, when its pod is loaded and exported again, then not one byte differs."""
    blobs = Blobs(tmp_path_factory.mktemp("origin"))
    store = fill([{**data, "code": {"sha256": blobs.put(content)}} for data, content in state])
    pod = b"".join(pod_chunks(store, blobs))
    loaded, kept = receive_into(tmp_path_factory.mktemp("target"), pod)
    assert b"".join(pod_chunks(loaded, kept)) == pod
    assert list(loaded.records()) == list(store.records())


def test_every_changed_byte_is_refused(small_pod: bytes, receive: Receive) -> None:
    """Given a pod with any one byte changed, when it is read, then it is refused and never with another error."""
    for offset in range(len(small_pod)):
        changed = bytearray(small_pod)
        changed[offset] ^= (1, 0x80, 0xFF, 0x20)[offset % 4]
        with pytest.raises(PodRefusedError):
            receive(bytes(changed))


def test_every_cut_is_refused(small_pod: bytes, receive: Receive) -> None:
    """Given a pod cut off at any byte, when it is read, then it is refused as damaged."""
    for length in range(len(small_pod)):
        with pytest.raises(PodDamagedError):
            receive(small_pod[:length])


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_bytes_gone_added_or_moved_are_refused(small_pod: bytes, receive: Receive, data: st.DataObject) -> None:
    """Given a pod with a stretch removed, doubled or overwritten, when it is read, then it is refused."""
    start = data.draw(st.integers(0, len(small_pod) - 1))
    end = data.draw(st.integers(start, min(len(small_pod), start + 1600)))
    changed = small_pod[:start] + data.draw(st.binary(max_size=600)) + small_pod[end:]
    if changed == small_pod:
        return
    with pytest.raises(PodRefusedError):
        receive(changed)


def test_a_pod_by_hand_is_taken(receive: Receive) -> None:
    """Given a pod made by hand that tells no lie, when it is read, then it is loaded (so the lies below are why)."""
    blobs = by_name(b"one", b"two")
    store, kept, _ = receive(forged(naming(b"one", b"two"), blobs))
    assert store.head() == 2
    assert list(kept.all()) == [sha256(content) for content in blobs]


def test_an_empty_state_travels_too(receive: Receive) -> None:
    """Given a pod without events, when it is read, then the log is empty."""
    assert receive(forged([]))[0].head() == 0


@pytest.mark.parametrize(
    "lie",
    [
        {"events_count": 2},
        {"events_count": 4},
        {"events_head": 4},
        {"events_bytes": 7},
        {"events_bytes": 1 << 40},
        {"events_sha256": "0" * 64},
        {"blobs_count": 1},
        {"blobs_count": 3},
        {"blobs_count": 0},
        {"blobs_bytes": 7},
        {"blobs_bytes": 5},
        {"blobs_sha256": "0" * 64},
        {"blobs_absent": 1},
    ],
    ids=repr,
)
def test_a_lying_manifest_is_refused(receive: Receive, lie: dict[str, Any]) -> None:
    """Given a manifest that lies in one number, when the pod is read, then it is refused."""
    pod = forged([*naming(b"one", b"two"), event(3)], by_name(b"one", b"two"), **lie)
    with pytest.raises(PodRefusedError):
        receive(pod)


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ([event(2, version=1)], "position 2 follows 0"),
        ([event(1), event(3, version=2)], "position 3 follows 1"),
        ([event(1), event(1, version=2)], "position 1 follows 1"),
        ([event(1), event(2, version=3)], "version 3 where 2"),
        ([event(1)[:-1]], "checksum"),
        ([b"x"], "cannot be an event"),
    ],
)
def test_events_must_be_a_log(receive: Receive, records: list[bytes], why: str) -> None:
    """Given events that no log holds, in a pod whose checksums fit, when it is read, then it says what is wrong."""
    with pytest.raises(PodDamagedError, match=why):
        receive(forged(records))


def test_an_unknown_event_type_is_told(receive: Receive) -> None:
    """Given events of a type from a later release, when the pod is read, then the type is named."""
    with pytest.raises(NewerPodError, match="Teleported version 1"):
        receive(forged([event(1, name="Teleported")]))


@pytest.mark.parametrize("length", [0, 5, 1 << 25, (1 << 32) - 1])
def test_a_lying_length_of_an_event_costs_nothing(receive: Receive, length: int) -> None:
    """Given a frame that says it is longer than its member, when it is read, then it is refused unread."""
    framed = length.to_bytes(4, "big") + b"abc"
    manifest = manifest_of(framed, 1, [])
    with pytest.raises(PodDamagedError, match="cannot have"):
        receive(member(MANIFEST, manifest.encode()) + member(EVENTS, framed) + END)


def hostile_members() -> Iterator[Any]:
    one, two = by_name(b"one", b"two")
    good = [member(f"blobs/{sha256(content)}", content) for content in (one, two)]
    yield pytest.param([good[1], good[0]], id="out of order")
    yield pytest.param([good[0], good[0]], id="twice")
    yield pytest.param([good[0], member(f"blobs/{sha256(b'six')}", b"six")], id="a blob nobody names")
    yield pytest.param([good[0], member(f"blobs/{sha256(two)}", b"six")], id="another content")
    yield pytest.param([good[0], member(f"blobs/{sha256(two).upper()}", two)], id="upper case")
    yield pytest.param([good[0], member(sha256(two), two)], id="another folder")
    yield pytest.param([good[0], member(f"blobs/blobs/{sha256(two)}"[:99], two)], id="a deeper folder")
    yield pytest.param([good[0], member("manifest.json", two)], id="a second manifest")
    yield pytest.param([good[0], header(blob_member(sha256(two), 1 << 60))], id="a lying size")
    yield pytest.param([*good, member("blobs/more", b"more")], id="one more")


@pytest.mark.parametrize("members", list(hostile_members()))
def test_blobs_must_be_those_the_events_name(receive: Receive, tmp_path: Path, members: list[bytes]) -> None:
    """Given blobs other than the declared ones, when the pod is read, then it is refused and none of them is kept."""
    framed = b"".join(map(frame, naming(b"one", b"two")))
    manifest = manifest_of(framed, 2, by_name(b"one", b"two"))
    pod = member(MANIFEST, manifest.encode()) + member(EVENTS, framed) + b"".join(members) + END
    with pytest.raises((HostilePodError, PodDamagedError)):
        receive(pod)
    assert list(Blobs(tmp_path / "kept").all()) == []


def test_what_is_there_already_is_not_written_again(receive: Receive, tmp_path: Path) -> None:
    """Given a state that has a pod's blob, when the pod is read, then the file stays the same one."""
    kept = Blobs(tmp_path / "kept")
    before = kept.path(kept.put(b"one")).stat().st_ino
    receive(forged(naming(b"one"), [b"one"]))
    assert kept.path(sha256(b"one")).stat().st_ino == before


def test_a_blob_that_was_cut_short_is_mended(receive: Receive, tmp_path: Path) -> None:
    """Given a state whose blob lost its end, when a pod with that blob is loaded, then it is whole again."""
    kept = Blobs(tmp_path / "kept")
    path = kept.path(kept.put(b"one"))
    path.write_bytes(b"on")
    receive(forged(naming(b"one"), [b"one"]))
    assert path.read_bytes() == b"one"


def test_a_broken_source_is_not_a_refusal(receive_from: Callable[[Any], Any], small_pod: bytes) -> None:
    """Given a source that fails in the middle, when it is read, then its own error comes through."""

    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise ConnectionResetError("gone")
            return super().read(min(size or 0, 1500))

    with pytest.raises(ConnectionResetError):
        receive_from(Failing(small_pod))
