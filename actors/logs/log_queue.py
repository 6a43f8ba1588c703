"""The queue between those who log and the one thread that writes: bounded in weight, fair, and cheap to put into.

Whoever floods it waits, or loses what it wrote: everybody has a share, and takes turns with the others.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from relambda.actors.logs.weight import TURN_BYTES

Owner = TypeVar("Owner")
Item = TypeVar("Item")

MAX_BYTES: Final = 32 * 1024 * 1024
"""The weight of all that is not written."""
_SHARES: Final = 2
"""One owner may have a half of that."""


class _Lane(Generic[Item]):
    """What one owner has put in, numbered, and the weight of all of it that is not written."""

    __slots__ = ("items", "taken", "weight")

    def __init__(self) -> None:
        self.items: deque[tuple[int, int, Item]] = deque()
        self.weight = self.taken = 0


class LogQueue(Generic[Owner, Item]):
    """Any thread puts in, one takes out. Weight counts until what was taken is `written`."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max, self._share = max_bytes, max_bytes // _SHARES
        self._turn = min(TURN_BYTES, self._share)
        self._lanes: dict[Owner, _Lane[Item]] = {}
        self._turns: deque[Owner] = deque()
        """Those whose lanes hold something, in the order of their turns."""
        self._weight = self._number = 0
        self._changed = threading.Condition()
        self._idle = self._hurried = self._behind = self._closed = False
        self._waiting = 0

    def put(self, owner: Owner, item: Item, weight: int) -> None:
        """Put something small in; never waits."""
        with self._changed:
            self._add(owner, item, weight)

    def put_sized(self, owner: Owner, item: Item, weight: int, until: float) -> bool:
        """Put output in, once there is room, which is waited for to a monotonic time. False when it was left out."""
        with self._changed:
            if not self._has_room(owner, weight) and not self._wait_for_room(owner, weight, until):
                return False
            self._add(owner, item, weight)
            return True

    def wait(self, seconds: float) -> None:
        """Wait up to `seconds` while it is empty, or until somebody hurries."""
        with self._changed:
            self._idle = True
            self._changed.wait_for(lambda: self._turns or self._hurried or self._closed, seconds)
            self._idle = False

    def gather(self, seconds: float) -> None:
        """Let more come in for up to `seconds`, unless somebody hurries, waits for room, or is behind already."""
        with self._changed:
            self._changed.wait_for(lambda: self._hurried or self._waiting or self._behind or self._closed, seconds)

    def take(self, most: int) -> dict[Owner, list[Item]]:
        """What weighs about `most`, each owner's in order; those that have more wait for their next turn."""
        found: dict[Owner, list[Item]] = {}
        with self._changed:
            self._hurried = False
            while self._turns and most > 0:
                owner = self._turns.popleft()
                most -= self._take_turn(self._lanes[owner], found.setdefault(owner, []))
                if self._lanes[owner].items:
                    self._turns.append(owner)
            self._behind = bool(self._turns)
        return found

    def written(self) -> None:
        """What was taken is written, or lost: its room is free."""
        with self._changed:
            for owner, lane in [each for each in self._lanes.items() if each[1].taken]:
                self._weight -= lane.taken
                lane.weight -= lane.taken
                lane.taken = 0
                if not lane.items:
                    del self._lanes[owner]
            if self._waiting:
                self._changed.notify_all()

    def number(self) -> int:
        """The number of the last item that was put in."""
        with self._changed:
            return self._number

    def oldest(self, wanted: Callable[[Owner], bool]) -> int | None:
        """The number of the first item of such owners that waits to be taken; None when there is none."""
        with self._changed:
            lanes = [(owner, lane.items) for owner, lane in self._lanes.items() if lane.items]
            return min((items[0][0] for owner, items in lanes if wanted(owner)), default=None)

    def hurry(self) -> None:
        """Have the next slice taken at once."""
        with self._changed:
            self._hurried = True
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody waits any more: who takes is woken, who puts in finds room or none."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be taken."""
        return not self._turns

    def _add(self, owner: Owner, item: Item, weight: int) -> None:
        lane = self._lanes.get(owner)
        if lane is None:
            lane = self._lanes[owner] = _Lane()
        if not lane.items:
            self._turns.append(owner)
        self._number += 1
        lane.items.append((self._number, weight, item))
        lane.weight += weight
        self._weight += weight
        if self._idle:
            self._changed.notify_all()

    def _take_turn(self, lane: _Lane[Item], into: list[Item]) -> int:
        weight = 0
        while lane.items and weight < self._turn:
            _, size, item = lane.items.popleft()
            into.append(item)
            weight += size
        lane.taken += weight
        return weight

    def _has_room(self, owner: Owner, weight: int) -> bool:
        """One turn's worth is always taken: nobody loses anything because others flood."""
        lane = self._lanes.get(owner)
        own = lane.weight + weight if lane is not None and lane.weight else 0
        return own <= self._turn or (own <= self._share and self._weight + weight <= self._max)

    def _wait_for_room(self, owner: Owner, weight: int, until: float) -> bool:
        self._waiting += 1
        self._changed.notify_all()
        try:
            left = max(0.0, until - time.monotonic())
            self._changed.wait_for(lambda: self._closed or self._has_room(owner, weight), left)
            return self._has_room(owner, weight)
        finally:
            self._waiting -= 1
