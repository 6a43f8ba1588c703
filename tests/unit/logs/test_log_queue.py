"""The queue of logs: who floods it has a share, and everybody gets a turn."""

import math

from relambda.actors.logs.log_queue import LogQueue
from relambda.actors.logs.weight import LINE_BYTES, TURN_BYTES, pieces, weight_of

NOW = -math.inf
"""A time that is over: nobody waits."""


def filled(queue: LogQueue[str, int], owner: str, weight: int) -> int:
    """How many items of a weight find room at once."""
    count = 0
    while queue.put_sized(owner, count, weight, NOW):
        count += 1
    return count


def test_owners_take_turns() -> None:
    """Given one that has much and two that have little, then a slice has some of each, in each one's order."""
    queue: LogQueue[str, int] = LogQueue(64 * TURN_BYTES)
    for number in range(10):
        queue.put_sized("loud", number, TURN_BYTES, NOW)
    queue.put("quiet", 1, 1)
    queue.put("calm", 1, 1)
    first, second = queue.take(2 * TURN_BYTES), queue.take(1 << 40)

    assert first == {"loud": [0, 1], "quiet": [1], "calm": [1]}
    assert second == {"loud": list(range(2, 10))}
    assert queue.is_empty


def test_one_owner_has_a_share() -> None:
    """Given one that puts in all it can, then a half is its, and another one finds as much."""
    queue: LogQueue[str, int] = LogQueue(16 * TURN_BYTES)

    assert filled(queue, "loud", TURN_BYTES) == 8
    assert filled(queue, "loud too", TURN_BYTES) == 8


def test_a_full_queue_has_room_for_who_had_none() -> None:
    """Given owners that have filled the queue, then one that has nothing in it still gets a turn's worth in."""
    queue: LogQueue[str, int] = LogQueue(16 * TURN_BYTES)
    filled(queue, "loud", TURN_BYTES)
    filled(queue, "loud too", TURN_BYTES)

    assert filled(queue, "quiet", TURN_BYTES // 4) == 4


def test_weight_counts_until_it_is_written() -> None:
    """Given a full share, when it is taken, then there is no room until it is written."""
    queue: LogQueue[str, int] = LogQueue(16 * TURN_BYTES)
    filled(queue, "loud", TURN_BYTES)
    queue.take(1 << 40)

    assert filled(queue, "loud", TURN_BYTES) == 0
    queue.written()
    assert filled(queue, "loud", TURN_BYTES) == 8


def test_the_oldest_that_waits_is_known() -> None:
    """Given items of two owners, then the first that was not taken is told for each, and for none."""
    queue: LogQueue[str, int] = LogQueue()
    queue.put("a", 1, TURN_BYTES)
    queue.put("b", 1, TURN_BYTES)
    queue.put("a", 2, TURN_BYTES)
    assert queue.number() == 3
    queue.take(TURN_BYTES)

    assert queue.oldest(lambda owner: owner == "a") == 3
    assert queue.oldest(lambda owner: owner == "b") == 2
    assert queue.oldest(lambda owner: owner == "c") is None


def test_output_is_cut_into_turns() -> None:
    """Given output of many lines, then its pieces are the whole in order, and none weighs more than a turn."""
    for data in (b"", b"\n", b"\n" * 65_536, b"x" * 65_536, b"line\n" * 13_000):
        found = list(pieces(data))
        assert b"".join(piece for piece, _ in found) == data
        assert all(weight == weight_of(piece) <= TURN_BYTES for piece, weight in found)
    assert weight_of(b"a\nb\n") == 4 + 3 * LINE_BYTES
    assert len(list(pieces(b"x" * 65_536))) == 1
