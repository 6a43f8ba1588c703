"""Checkpoints as bytes: a cache, so damage makes them absent and never wrong."""

from hypothesis import given
from hypothesis import strategies as st

from relambda.store.checkpoints import decode, encode
from relambda.store.records import Checkpoint

CHECKPOINTS = st.builds(Checkpoint, st.integers(1, 2**64 - 1), st.text(max_size=8), st.binary(max_size=32))


@given(checkpoint=CHECKPOINTS)
def test_a_checkpoint_comes_back(checkpoint: Checkpoint) -> None:
    """Decoding undoes encoding."""
    assert decode(encode(checkpoint)) == checkpoint


@given(checkpoint=CHECKPOINTS, data=st.data())
def test_a_damaged_checkpoint_is_none(checkpoint: Checkpoint, data: st.DataObject) -> None:
    """A flipped bit or a cut makes a checkpoint absent; its stream is folded anew."""
    encoded = bytearray(encode(checkpoint))
    bit = data.draw(st.integers(0, len(encoded) * 8 - 1))
    encoded[bit // 8] ^= 1 << bit % 8
    assert decode(bytes(encoded)) is None
    assert decode(encode(checkpoint)[: bit // 8]) is None
