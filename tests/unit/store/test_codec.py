"""The encoding of events: the same event is the same bytes, and damage is always seen."""

from typing import Any
from zlib import crc32

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.store.codec import Body, canonical, decode, encode, encode_body, place, seal
from relambda.store.errors import CorruptStoreError
from relambda.store.records import NewEvent, RecordedEvent

TEXT = st.text(max_size=8)
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | TEXT
    | st.binary(max_size=16)
)
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))
EVENTS = st.builds(
    RecordedEvent,
    position=st.integers(1, 2**64 - 1),
    stream=TEXT,
    version=st.integers(1, 2**64 - 1),
    type=TEXT,
    type_version=st.integers(1, 1000),
    at_ms=st.integers(0, 2**53),
    data=st.dictionaries(TEXT, VALUES, max_size=4),
)


@given(event=EVENTS)
def test_an_event_comes_back_as_it_went_in(event: RecordedEvent) -> None:
    """Decoding undoes encoding, for every payload that msgpack's own types can hold."""
    assert decode(encode(event)) == event


@given(event=EVENTS)
def test_encoding_what_was_decoded_gives_the_same_bytes(event: RecordedEvent) -> None:
    """There is one encoding of an event, so a copied log is the same log."""
    record = encode(event)
    assert encode(decode(record)) == record
    assert place(record) == (event.position, event.version)


@given(data=st.dictionaries(TEXT, VALUES, min_size=2, max_size=4))
def test_the_order_of_map_keys_is_kept(data: dict[str, Any]) -> None:
    """What is told from the log is told in the order in which it was given, as it was before it lay there."""
    for ordered in (data, dict(reversed(data.items()))):
        record = seal(encode_body("s", NewEvent("T", ordered, 1)), 1, 1)
        assert list(decode(record).data) == list(ordered)


@given(event=EVENTS, data=st.data())
def test_any_flipped_bit_is_noticed(event: RecordedEvent, data: st.DataObject) -> None:
    """No single damaged bit of a record goes unseen."""
    record = bytearray(encode(event))
    bit = data.draw(st.integers(0, len(record) * 8 - 1))
    record[bit // 8] ^= 1 << bit % 8
    with pytest.raises(CorruptStoreError):
        decode(bytes(record))


@given(junk=st.binary(max_size=64))
def test_junk_is_no_event(junk: bytes) -> None:
    """Bytes that never were a record raise CorruptStoreError and nothing else."""
    with pytest.raises(CorruptStoreError):
        decode(junk)


def test_the_format_on_disk_stays_what_it_is() -> None:
    """A record written by any release is these very bytes; a change here needs a new format number."""
    event = RecordedEvent(7, "function/f", 2, "FunctionCreated", 1, 1700000000000, {"a": b"\x00", "b": [1, None]})
    assert encode(event).hex() == (
        "14fb37eb0000000000000007000000000000000295aa66756e6374696f6e2f66af46756e"
        "6374696f6e4372656174656401cf0000018bcfe5680082a161c40100a1629201c0"
    )


@pytest.mark.parametrize(
    "body",
    [
        msgpack.packb(["s", "T", 1, 1]),
        msgpack.packb(["s", "T", 1, 1, []]),
        msgpack.packb(["s", b"T", 1, 1, {}]),
        msgpack.packb(["s", "T", True, 1, {}]),
        msgpack.packb(["s", "T", 1, 1, {"x": msgpack.ExtType(5, b"")}]),
        msgpack.packb({"s": 1}),
        b"\xc1",
    ],
)
def test_a_body_of_another_shape_is_refused(body: bytes) -> None:
    """A right checksum does not make an event of what has not the shape of one."""
    with pytest.raises(CorruptStoreError):
        decode(seal(Body(body, crc32(body)), 1, 1))


def test_tuples_become_lists_and_mappings_dicts() -> None:
    """A payload is copied into msgpack's own types, so that it reads back equal to its canonical form."""
    assert canonical({"b": (1, (2,)), "a": {"d": 1}}) == {"b": [1, [2]], "a": {"d": 1}}


def test_bottomless_data_is_refused() -> None:
    """Nesting has a limit, and beyond it the append is refused instead of the process failing."""
    data: dict[str, Any] = {}
    for _ in range(5000):
        data = {"x": data}
    with pytest.raises(ValueError, match="nested more than 100"):
        encode_body("s", NewEvent("T", data, 1))


def test_an_event_larger_than_the_limit_is_refused() -> None:
    """Large content belongs into a blob: the message says so."""
    with pytest.raises(ValueError, match="put large content into a blob"):
        encode_body("s", NewEvent("T", {"x": bytes(32 * 1024 * 1024)}, 1))
