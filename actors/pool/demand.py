"""How many spare sandboxes of each shape are wanted: a few, and as many as were lately started in one go; pure."""

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Final

from relambda.actors.pool.spare import Shape

BURST_SECONDS: Final = 2.0
"""Starts within that time count as one burst."""
REMEMBERED_SECONDS: Final = 600.0
"""So long after a burst the next one finds as many spare sandboxes."""


@dataclass(slots=True)
class _Asked:
    memory_mb: int
    starts: deque[float]
    burst: int = 0
    burst_at: float = 0.0


class Demand:
    """At least `least` of each shape, at most `total` of all; who was asked for last comes first. Not thread-safe.

    Times are seconds of any clock that only goes forward.
    """

    def __init__(self, least: int, total: int) -> None:
        self._least, self._total = min(least, total), total
        self._shapes: OrderedDict[Shape, _Asked] = OrderedDict()

    def expect(self, shape: Shape, memory_mb: int) -> None:
        """A function of this shape is there; spare sandboxes had better have that much memory."""
        asked = self._shapes.setdefault(shape, _Asked(memory_mb, deque(maxlen=max(1, self._total))))
        asked.memory_mb = memory_mb
        self._shapes.move_to_end(shape)

    def started(self, shape: Shape, memory_mb: int, now: float) -> None:
        """A sandbox of this shape was asked for."""
        self.expect(shape, memory_mb)
        asked = self._shapes[shape]
        asked.starts.append(now)
        while asked.starts[0] < now - BURST_SECONDS:
            asked.starts.popleft()
        if len(asked.starts) >= self._burst(asked, now):
            asked.burst, asked.burst_at = len(asked.starts), now

    def forget(self, shape: Shape) -> None:
        """No spare sandboxes of this shape, until it is expected or started again."""
        self._shapes.pop(shape, None)

    def memory_mb(self, shape: Shape) -> int:
        """How much memory the next spare sandbox of a wanted shape should have."""
        return self._shapes[shape].memory_mb

    def targets(self, now: float) -> dict[Shape, int]:
        """How many to have of each shape, the most wanted first; shapes for which no room is left are forgotten."""
        left, targets = self._total, dict[Shape, int]()
        for shape, asked in reversed(self._shapes.items()):
            targets[shape] = min(left, max(self._least, self._burst(asked, now)))
            left -= targets[shape]
        for shape in [shape for shape, target in targets.items() if not target]:
            del self._shapes[shape], targets[shape]
        return targets

    def falls_in(self, now: float) -> float | None:
        """Seconds until the oldest burst is forgotten, None when there is none to forget."""
        bursts = [asked.burst_at for asked in self._shapes.values() if self._burst(asked, now) > self._least]
        return min(bursts) + REMEMBERED_SECONDS - now if bursts else None

    @staticmethod
    def _burst(asked: _Asked, now: float) -> int:
        return asked.burst if now - asked.burst_at < REMEMBERED_SECONDS else 0
