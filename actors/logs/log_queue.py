"""The queue between those who log and the one thread that writes: bounded in bytes, and cheap to put into."""

import threading
import time
from typing import Generic, TypeVar

Item = TypeVar("Item")

MAX_BYTES = 32 * 1024 * 1024
"""Bytes of output that wait at most."""


class LogQueue(Generic[Item]):
    """Any thread puts in, one takes all out. What is not output is small, and always taken."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._items: list[Item] = []
        self._bytes = 0
        self._changed = threading.Condition()
        self._waiting = False
        self._closed = False

    def put(self, item: Item) -> None:
        """Put something small in; never waits."""
        with self._changed:
            self._items.append(item)
            if self._waiting:
                self._changed.notify_all()

    def put_sized(self, item: Item, size: int, seconds: float) -> bool:
        """Put output in; while there is no room, wait up to `seconds`. False when it was left out."""
        with self._changed:
            if self._bytes and self._bytes + size > self._max_bytes and not self._wait_for_room(size, seconds):
                return False
            self._items.append(item)
            self._bytes += size
            if self._waiting:
                self._changed.notify_all()
            return True

    def wait(self, seconds: float) -> None:
        """Wait up to `seconds` while it is empty."""
        with self._changed:
            if not self._items and not self._closed:
                self._waiting = True
                self._changed.wait(seconds)
                self._waiting = False

    def take(self) -> list[Item]:
        """All that is in it."""
        with self._changed:
            items, self._items = self._items, []
            self._bytes = 0
            self._changed.notify_all()
            return items

    def close(self) -> None:
        """Wake who takes; what is put in afterwards may stay."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait_for_room(self, size: int, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while self._bytes and self._bytes + size > self._max_bytes and not self._closed:
            left = until - time.monotonic()
            if left <= 0:
                return False
            self._changed.wait(left)
        return True
