"""The actor of a durable execution: keeps its timers. Running its function is not its work yet."""

from collections.abc import Sequence

from relambda.actors.clock import Timer
from relambda.actors.domain.decider import Command, Event
from relambda.actors.domain.durable import FinishDeletion
from relambda.actors.domain.durable_callbacks import GoOff
from relambda.actors.domain.durable_state import DurableState, durable, next_due
from relambda.actors.domain.names import ResourceName
from relambda.actors.entity import EntityActor
from relambda.actors.messages import Ask
from relambda.actors.room import Room

LONGEST_TIMER_SECONDS = 86_400.0
"""Timers of a year are looked at once a day, so a clock that is set is noticed."""


class DurableActor(EntityActor[DurableState]):
    """Owns an execution's stream. A timer that goes off starts the actor when it sleeps."""

    def __init__(self, resource: ResourceName, room: Room) -> None:
        super().__init__(resource, durable, room)
        self._timer: Timer | None = None

    def started(self) -> None:
        """Set the timer anew."""
        self.react(self.state, self.state, ())

    def react(self, old: DurableState, new: DurableState, events: Sequence[Event]) -> None:
        """Set the timer to what is due next, and finish a deletion behind the answer that tells of it."""
        del old, events
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if new.status == "DELETING":
            self._later(self.room.options.state_transition)
        elif (due := next_due(new)) is not None:
            self._later(min(max(0.0, (due - self.room.clock.now_ms()) / 1000), LONGEST_TIMER_SECONDS))

    def _later(self, seconds: float) -> None:
        """Tell itself what is to be done then; at once means behind whatever is in the inbox already."""
        post, stream = self.room.post, self.resource.stream
        if seconds:
            self._timer = self.room.scheduler.after(seconds, lambda: post.tell(stream, Ask(self._command())))
        else:
            post.tell(stream, Ask(self._command()))

    def _command(self) -> Command:
        now_ms = self.room.clock.now_ms()
        if self.state.status == "DELETING":
            return FinishDeletion(resource=self.resource, at_ms=now_ms, execution_id=self.state.id)
        return GoOff(resource=self.resource, at_ms=now_ms)
