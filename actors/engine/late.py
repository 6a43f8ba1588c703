"""An engine that may come later: a cloud starts without one, and finds it when a function first needs it."""

import threading
from collections.abc import Callable

from relambda.actors.engine.around import EngineAround
from relambda.actors.engine.contract import Engine


class LateEngine(EngineAround):
    """Implements `Engine` with the one that `find` gives; looked for at each call until it is found.

    Every method but `close` raises EngineUnavailableError while there is none.
    """

    def __init__(self, find: Callable[[], Engine]) -> None:
        self._find = find
        self._lock = threading.Lock()
        self._engine: Engine | None = None

    def _found(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = self._find()
            return self._engine

    def close(self) -> None:
        """Let go of connections, if there are any."""
        with self._lock:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()
