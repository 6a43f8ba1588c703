"""What output weighs while it waits to be written: a line costs more than its bytes, and an empty one nothing less."""

from collections.abc import Iterator

LINE_BYTES = 256
"""What a line costs beside its text, as an event in memory and in the store (measured: 200 to 300)."""
WORD_BYTES = 512
"""What any other word of an environment's costs."""
TURN_BYTES = 128 * 1024
"""What one environment may have written before another one's turn comes; no piece of output weighs more."""


def weight_of(data: bytes) -> int:
    """What output weighs, in bytes."""
    return len(data) + LINE_BYTES * (data.count(b"\n") + 1)


def pieces(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Output in pieces of one turn at most, with what each weighs."""
    weight = weight_of(data)
    if weight <= TURN_BYTES or len(data) < 2:
        yield data, weight
        return
    half = len(data) // 2
    yield from pieces(data[:half])
    yield from pieces(data[half:])
