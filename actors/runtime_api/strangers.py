"""Connections that have not said yet for whom they speak: few of each address, and few in all.

Runtimes speak at once, so they are strangers for a moment. It is the longest silent who has to go: where many
containers share an address, as behind Docker Desktop's proxy, who does nothing but connect is in nobody's way.
"""

import logging
import threading
import time
from collections.abc import Iterator
from typing import Final

from relambda.actors.runtime_api.connection import Connection

MAX_SILENT: Final = 64
"""Strangers of an address, once they have had `MOMENT_SECONDS`."""
MOMENT_SECONDS: Final = 1.0
MAX_OF_ADDRESS: Final = 1024
MAX_IN_ALL: Final = 4096
_TELL_SECONDS: Final = 60.0
_log = logging.getLogger(__name__)


class Strangers:
    """Any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._silent: dict[str, dict[Connection, float]] = {}
        """By address, with when they came, in that order."""
        self._count = 0
        self._tell_from = 0.0

    def arrive(self, connection: Connection) -> None:
        """One has come; who has been silent for too long has to go for it."""
        with self._lock:
            own = self._silent.setdefault(connection.peer, {})
            own[connection] = now = time.monotonic()
            self._count += 1
            doomed = list(self._too_many(own, now))
            tells = bool(doomed) and now >= self._tell_from
            self._tell_from = now + _TELL_SECONDS if tells else self._tell_from
        for each in doomed:
            each.shut()
        if tells:
            _log.warning("the Runtime API closes connections of %s that say nothing: it has too many", doomed[0].peer)

    def leave(self, connection: Connection) -> None:
        """It has said for whom it speaks, or is no more; safe to call twice."""
        with self._lock:
            if connection in self._silent.get(connection.peer, ()):
                self._forget(connection)

    def _too_many(self, own: dict[Connection, float], now: float) -> Iterator[Connection]:
        while len(own) > MAX_SILENT and (len(own) > MAX_OF_ADDRESS or _first(own)[1] < now - MOMENT_SECONDS):
            yield self._forget(_first(own)[0])
        while self._count > MAX_IN_ALL:
            yield self._forget(_first(max(self._silent.values(), key=len))[0])

    def _forget(self, connection: Connection) -> Connection:
        own = self._silent[connection.peer]
        del own[connection]
        if not own:
            del self._silent[connection.peer]
        self._count -= 1
        return connection


def _first(own: dict[Connection, float]) -> tuple[Connection, float]:
    return next(iter(own.items()))
