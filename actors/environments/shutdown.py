"""The end of an environment's processes as AWS orders it.

Without extensions they are killed at once. With them the runtime gets SIGTERM and a while, then the extensions hear
SHUTDOWN, and at the end of the budget whatever is left is killed (AWS: "Lambda execution environment lifecycle",
"Shutdown phase"; limits.tsv, "shutdown").
"""

import enum
from collections.abc import Callable
from typing import Final

from relambda.actors.runtime_api.session import EnvironmentSession, ShutdownReason

EXTERNAL_SECONDS: Final = 2.0
"""The budget with external extensions; the runtime may have `RUNTIME_SECONDS` of it."""
RUNTIME_SECONDS: Final = 0.3
INTERNAL_SECONDS: Final = 0.5
"""The budget of a runtime with internal extensions only."""


class Step(enum.Enum):
    """What a shutdown waits for."""

    RUNTIME = enum.auto()
    EXTENSIONS = enum.auto()
    NOTHING = enum.auto()


class Shutdown:
    """One shutdown, on the instance's actor's thread. `wait` has `late` called after a while of a step."""

    def __init__(
        self,
        reason: ShutdownReason,
        session: EnvironmentSession,
        now_ms: Callable[[], int],
        wait: Callable[[float, Step], None],
        kill: Callable[[], None],
    ) -> None:
        self._reason, self._session, self._now_ms, self._wait, self._kill = reason, session, now_ms, wait, kill
        self._extensions = [one for one in session.extensions() if one.state != "Started"]
        self._external = any(one.external for one in self._extensions)
        self._alive: set[str] = set()
        self._step = Step.NOTHING

    def begin(self, terminate: Callable[[], None] | None) -> None:
        """Begin; `terminate` sends SIGTERM to the runtime, None if it does not run."""
        if not self._extensions:
            self._end()
        elif terminate is None:
            self._tell_extensions()
        else:
            self._step = Step.RUNTIME
            terminate()
            self._wait(RUNTIME_SECONDS if self._external else INTERNAL_SECONDS, Step.RUNTIME)

    def runtime_exited(self) -> None:
        """The runtime has ended."""
        if self._step is Step.RUNTIME:
            self._tell_extensions()

    def extension_exited(self, name: str) -> None:
        """An extension has ended."""
        self._alive.discard(name)
        if self._step is Step.EXTENSIONS and not self._alive:
            self._end()

    def late(self, step: Step) -> None:
        """The while of a step is over."""
        if step is not self._step:
            return
        if step is Step.RUNTIME:
            self._tell_extensions()
        elif step is Step.EXTENSIONS:
            self._end()

    def _tell_extensions(self) -> None:
        self._step = Step.EXTENSIONS
        seconds = EXTERNAL_SECONDS - RUNTIME_SECONDS
        self._alive = set(self._session.shutdown(self._reason, self._now_ms() + int(seconds * 1000)))
        if self._alive:
            self._wait(seconds, Step.EXTENSIONS)
        else:
            self._end()

    def _end(self) -> None:
        self._step = Step.NOTHING
        self._kill()
