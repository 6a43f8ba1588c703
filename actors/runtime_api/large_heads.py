"""Room for requests with large heads (an X-Ray cause may have a megabyte): few at a time, of each address fewer."""

import threading
from collections import Counter
from typing import Final

SMALL_HEAD_BYTES: Final = 16_384
"""Any number of connections may have a head of this size on its way."""
MAX_IN_ALL: Final = 64
MAX_OF_ADDRESS: Final = 16


class LargeHeads:
    """Any thread may call."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: Counter[str] = Counter()

    def enter(self, address: str, seconds: float) -> bool:
        """Wait for room, up to `seconds`; whether there is, which has to be given back by `leave`."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._has_room(address), seconds):
                return False
            self._held[address] += 1
            return True

    def leave(self, address: str) -> None:
        """The head has been read, or will not be."""
        with self._changed:
            self._held[address] -= 1
            if not self._held[address]:
                del self._held[address]
            self._changed.notify_all()

    def _has_room(self, address: str) -> bool:
        return self._held[address] < MAX_OF_ADDRESS and self._held.total() < MAX_IN_ALL
