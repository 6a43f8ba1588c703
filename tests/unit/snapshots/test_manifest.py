"""The manifest: one text for one content, and no other text is taken."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relambda.snapshots.errors import NewerPodError, PodDamagedError
from relambda.snapshots.pod import MAX_MANIFEST_BYTES, BlobsEntry, EventsEntry, Manifest, decode_manifest

SIZES = st.integers(0, 1 << 62)
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
MANIFESTS = st.builds(
    Manifest, st.builds(EventsEntry, SIZES, SIZES, SIZES, DIGESTS), st.builds(BlobsEntry, SIZES, SIZES, DIGESTS, SIZES)
)
SAMPLE = Manifest(EventsEntry(1, 1, 10, "a" * 64), BlobsEntry(0, 0, "b" * 64, 0))


def changed(**members: Any) -> bytes:
    return json.dumps({**json.loads(SAMPLE.encode()), **members}).encode()


@settings(deadline=None)
@given(MANIFESTS)
def test_it_is_read_back(manifest: Manifest) -> None:
    """Given a manifest, when its text is read, then it is the same, and short enough to be read."""
    assert decode_manifest(manifest.encode()) == manifest
    assert len(manifest.encode()) <= MAX_MANIFEST_BYTES


@settings(deadline=None)
@given(MANIFESTS, st.data())
def test_any_other_text_is_refused_or_means_something_else(manifest: Manifest, data: st.DataObject) -> None:
    """Given a manifest's text with one byte changed, when it is read, then it never passes for the same manifest."""
    text = bytearray(manifest.encode())
    text[data.draw(st.integers(0, len(text) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        assert decode_manifest(bytes(text)) != manifest
    except (PodDamagedError, NewerPodError):
        return


def test_a_newer_format_is_told() -> None:
    """Given a manifest of format 2 with members unknown today, when it is read, then the message says what to do."""
    with pytest.raises(NewerPodError, match=r"format 2, this release knows up to 1; load it with a newer release"):
        decode_manifest(changed(format=2, events="elsewhere", compression="zstd"))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(b"[" * MAX_MANIFEST_BYTES, id="nested"),
        pytest.param(b"null", id="null"),
        pytest.param(changed(format=0), id="format 0"),
        pytest.param(changed(format=True), id="format true"),
        pytest.param(changed(kind="another pod"), id="another kind"),
        pytest.param(changed(more=1), id="a member too many"),
        pytest.param(changed(events=None), id="no events"),
        pytest.param(changed(events={"count": -1, "head": 0, "bytes": 0, "sha256": "a" * 64}), id="negative"),
        pytest.param(changed(events={"count": 10**30, "head": 0, "bytes": 0, "sha256": "a" * 64}), id="huge"),
        pytest.param(changed(events={"count": 1, "head": 1, "bytes": 9, "sha256": "A" * 64}), id="upper case"),
        pytest.param(json.dumps(json.loads(SAMPLE.encode())).encode(), id="other white space"),
        pytest.param(SAMPLE.encode() + b" ", id="one more byte"),
    ],
)
def test_what_no_export_writes_is_refused(text: bytes) -> None:
    """Given a text that is no manifest of ours, when it is read, then it is refused."""
    with pytest.raises(PodDamagedError):
        decode_manifest(text)
