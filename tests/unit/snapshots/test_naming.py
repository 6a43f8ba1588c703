"""Which blobs an event names."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relambda.snapshots.naming import blobs_named
from relambda.store.codec import encode
from relambda.store.errors import CorruptStoreError
from relambda.store.records import RecordedEvent

NAME = "ab" * 32
LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.binary(max_size=5)
KEYS = st.sampled_from(["sha256", "code", "x"])


def named(data: dict[str, Any]) -> list[str]:
    record = encode(RecordedEvent(1, "function/f", 1, "Stored", 1, 0, data))
    return sorted(name.hex() for name in blobs_named(record))


@pytest.mark.parametrize(
    "data",
    [
        {"sha256": NAME},
        {"code": {"sha256": NAME, "size": 3}},
        {"layers": [{"arn": "a"}, {"sha256": NAME}]},
        {"a": [[{"b": {"c": [{"sha256": NAME}]}}]]},
    ],
)
def test_the_key_names_a_blob_however_deep(data: dict[str, Any]) -> None:
    """Given 64 hexadecimal digits under "sha256", when an event is looked through, then that blob is named."""
    assert named(data) == [NAME]


@pytest.mark.parametrize(
    "value", ["", "AB" * 32, "ab" * 31, "ab" * 33, NAME + "\n", "zz" * 32, NAME.encode(), 5, None, [NAME], "٣" * 64]
)
def test_nothing_else_under_the_key_is_a_name(value: Any) -> None:
    """Given another value under "sha256", when an event is looked through, then no blob is named."""
    assert named({"sha256": value}) == []


def test_another_key_names_nothing() -> None:
    """Given a digest under another key, when an event is looked through, then no blob is named."""
    assert named({"CodeSha256": NAME, "sha2567": NAME, NAME: "sha256"}) == []


@settings(deadline=None)
@given(st.recursive(LEAVES | st.just(NAME), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner)))
def test_the_rule_is_the_plain_recursive_one(value: Any) -> None:
    """Given any payload, when it is looked through, then what is found is what a plain recursion finds."""

    def expected(part: Any) -> list[str]:
        if isinstance(part, dict):
            here = [NAME] if part.get("sha256") == NAME else []
            return here + [name for inner in part.values() for name in expected(inner)]
        return [name for inner in part for name in expected(inner)] if isinstance(part, list) else []

    assert named({"value": value}) == expected(value)


def test_a_damaged_record_names_nothing_quietly() -> None:
    """Given a damaged record, when it is looked through, then it is refused."""
    record = bytearray(encode(RecordedEvent(1, "s", 1, "Stored", 1, 0, {"sha256": NAME})))
    record[-1] ^= 1
    with pytest.raises(CorruptStoreError):
        list(blobs_named(bytes(record)))
