"""Who hears of log events as they are added: each batch, once it is committed, beside the disk."""

import threading
from collections.abc import Callable, Mapping
from typing import TypeAlias

from relambda.store.logs.events import Lines
from relambda.store.logs.records import StreamName

Hearer: TypeAlias = "Callable[[Mapping[StreamName, Lines], int], None]"
"""Gets lines by their streams, and when they were added, in milliseconds; on the writer's thread, so it is quick."""


class Feed:
    """Tells of what is added, in the order of the commits of each thread. Any thread."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._hearers: tuple[Hearer, ...] = ()

    def add(self, hearer: Hearer) -> None:
        """Tell somebody from now on."""
        with self._changing:
            self._hearers = (*self._hearers, hearer)

    def remove(self, hearer: Hearer) -> None:
        """Tell somebody no more; safe to repeat."""
        with self._changing:
            self._hearers = tuple(one for one in self._hearers if one != hearer)

    def tell(self, batch: Mapping[StreamName, Lines], now_ms: int) -> None:
        """Lines were added."""
        for hearer in self._hearers:
            hearer(batch, now_ms)
