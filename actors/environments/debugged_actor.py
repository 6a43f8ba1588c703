"""The actor of an execution environment that is debugged: time waits for the debugger, and the start for its port."""

import time
from typing import TYPE_CHECKING, Any, Final

import pykka

from relambda.actors.environments.instance_actor import InstanceActor
from relambda.actors.environments.instance_messages import InitTimedOut, RestoreTimedOut, Start, TimedOut

if TYPE_CHECKING:
    from relambda.actors.environments.instance import Instance

_PAUSE_SECONDS: Final = 1.0
"""How often a timeout that is held looks again whether the debugger is still there."""
_PORT_SECONDS: Final = 10.0
"""How long a start waits for the former container to let go of the port."""
_RETRY_SECONDS: Final = 0.2


class DebuggedActor(InstanceActor):
    """An instance's actor that heeds the instance's debugger."""

    def __init__(self, instance: "Instance", parent: "pykka.ActorRef[Any]") -> None:
        super().__init__(instance, parent)
        self._made = time.monotonic()

    def on_receive(self, message: object) -> None:
        """Handle one message; a timeout comes again while a debugger is attached."""
        if isinstance(message, TimedOut | InitTimedOut | RestoreTimedOut) and self._holds(message):
            self._again(message, _PAUSE_SECONDS)
        else:
            super().on_receive(message)

    def _holds(self, late: TimedOut | InitTimedOut | RestoreTimedOut) -> bool:
        """Whether what is late is still under way, and the debugger wants it to."""
        debugger, initialising = self.instance.debugger, self.conversation.init.is_running
        runs = self._is_under_way(late)
        return runs and debugger is not None and debugger.holds(self.sandbox, initialising=initialising)

    def _is_under_way(self, late: TimedOut | InitTimedOut | RestoreTimedOut) -> bool:
        match late:
            case TimedOut(request_id):
                return self.conversation.run_of(request_id) is not None
            case RestoreTimedOut():
                return self.conversation.restoration.is_running
            case InitTimedOut():
                return self.conversation.init.is_running

    def _has_no_container(self, error: Exception) -> None:
        """One that cannot have its port, which the former container holds, tries again."""
        taken = any(words in str(error) for words in ("port is already allocated", "address already in use"))
        if taken and time.monotonic() - self._made < _PORT_SECONDS:
            self._again(Start(), _RETRY_SECONDS)
        else:
            super()._has_no_container(error)

    def _again(self, message: object, seconds: float) -> None:
        self.room.scheduler.after(seconds, lambda: self.instance.tell(message))
