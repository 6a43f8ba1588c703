"""SnapStart: a runtime that has initialised waits, and goes on when an invocation is there for it."""

import time

from relambda.actors.domain.refusals import Refusal
from relambda.actors.environments.platform_events import PlatformEvents
from relambda.actors.environments.slot import Slot
from relambda.actors.runtime_api.session import EnvironmentSession


class Restoration:
    """One environment's restore, in the place of a snapshot's. Its methods come in order, from whatever thread."""

    def __init__(self, slot: Slot, events: PlatformEvents) -> None:
        self._slot, self._events = slot, events
        self._began = 0.0
        self.is_awaited = False
        """Whether the runtime waits for its restore, which the next invocation brings."""

    @property
    def is_running(self) -> bool:
        """Whether an invocation waits for the runtime's hooks."""
        return bool(self._began)

    def begin(self, session: EnvironmentSession) -> None:
        """Let the runtime run its hooks and ask for work."""
        self.is_awaited, self._began = False, time.monotonic()
        self._events.restore_starts()
        session.restore()

    def end(self) -> float:
        """The runtime has asked for work; how many milliseconds it took."""
        began, self._began = self._began, 0.0
        took = (time.monotonic() - began) * 1000
        self._events.restore_ends(took)
        return took

    def fail(self, error: str, why: str) -> None:
        """The invocation that waits cannot run: refuse it with one of AWS's SnapStart errors."""
        self._began = 0.0
        run = self._slot.take()
        if run is not None:
            run.invocation.refuse(Refusal(error, f"{why} For more information, check the Amazon CloudWatch logs."))
