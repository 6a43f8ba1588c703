"""Events that would burst memory are refused from their bytes."""

import math
from typing import Any

import msgpack
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relambda.snapshots import weight
from relambda.snapshots.errors import HostilePodError
from relambda.snapshots.weight import MAX_PARTS, check_weight

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats()
    | st.text(max_size=400)
    | st.binary(max_size=400)
    | st.builds(msgpack.ExtType, st.integers(0, 127), st.binary(max_size=300))
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(), inner, max_size=20)
)
BEFORE = bytes(20)


def parts_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + len(value) + sum(map(parts_of, value.values()))
    return 1 + sum(map(parts_of, value)) if isinstance(value, list) else 1


@settings(deadline=None)
@given(VALUES)
@example(["x" * 70_000, b"x" * 70_000, b"x" * 300, "x" * 300, [0] * 70_000, dict.fromkeys(map(str, range(70_000)))])
def test_every_value_is_counted_once(value: Any) -> None:
    """Given any value, when its bytes are gone through, then each part is met once and is declared once."""
    data = msgpack.packb(value)
    at, parts, declared = 0, 0, 1
    while at < len(data):
        skipped, members = weight._value(data, at)
        at, parts, declared = at + skipped, parts + 1, declared + members
    assert (at, parts, declared) == (len(data), parts_of(value), parts_of(value))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param([{}] * (MAX_PARTS + 1), id="empty maps"),
        pytest.param([[]] * (MAX_PARTS + 1), id="empty arrays"),
        pytest.param([[0] * 1000] * 1001, id="arrays of arrays"),
        pytest.param([None] * (MAX_PARTS + 1), id="nothing at all"),
    ],
)
def test_a_bomb_is_refused(value: Any) -> None:
    """Given a record of a few MB that is millions of objects, when it is weighed, then it is refused."""
    with pytest.raises(HostilePodError, match="declares more than 1000000 parts"):
        check_weight(BEFORE + msgpack.packb(value))


def test_arrays_that_only_declare_are_refused() -> None:
    """Given nested arrays that each declare as many members as the record has bytes, then they are refused at once."""
    with pytest.raises(HostilePodError):
        check_weight(BEFORE + b"\xdd\x00\x01\x00\x00" * 100 + bytes(70_000))


def test_a_large_payload_is_no_bomb() -> None:
    """Given Lambda's largest payload in an event, when it is weighed, then it passes, whatever its bytes are."""
    for payload in (b"\x80" * 6_291_556, "ä" * 3_000_000, [math.pi] * 400_000):
        check_weight(BEFORE + msgpack.packb(["function/f", "Stored", 1, 0, {"payload": payload}]))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    """Given any bytes at all, when they are weighed, then it ends; what they are is for the log's codec to say."""
    at = 0
    while at < len(data):
        at += weight._value(data, at)[0]
