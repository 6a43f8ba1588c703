"""The actor of a durable execution: keeps its timers, and those who wait for its end.

Running its function is not its work yet.
"""

from collections.abc import Sequence

from relambda.actors.clock import Timer
from relambda.actors.domain.decider import Event
from relambda.actors.domain.durable import FinishDeletion, no_execution
from relambda.actors.domain.durable_callbacks import GoOff
from relambda.actors.domain.durable_state import RUNNING, DurableState, durable, next_due
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import Refusal
from relambda.actors.entity import EntityActor
from relambda.actors.messages import Ask, AwaitEnd, Wake
from relambda.actors.room import Room

LONGEST_TIMER_SECONDS = 86_400.0
"""Timers of a year are looked at once a day, so a clock that is set is noticed."""


class DurableActor(EntityActor[DurableState]):
    """Owns an execution's stream. A timer that goes off starts the actor when it sleeps."""

    def __init__(self, resource: ResourceName, room: Room) -> None:
        super().__init__(resource, durable, room)
        self._timer: Timer | None = None
        self._waiting: list[AwaitEnd] = []

    def receive(self, message: object) -> None:
        """Let a caller wait for the end."""
        if isinstance(message, AwaitEnd):
            self._waiting.append(message)
            self._answer_waiting()
        else:
            super().receive(message)

    def busy(self) -> bool:
        """Callers that wait keep the actor."""
        return bool(self._waiting)

    def end(self) -> None:
        """Callers do not wait for an actor that is no more."""
        for message in self._waiting:
            message.reply.set_exception(Refusal("ServiceException", "The execution's actor was stopped; try again."))
        self._waiting.clear()

    def started(self) -> None:
        """Set the timer anew."""
        self.react(self.state, self.state, ())

    def react(self, old: DurableState, new: DurableState, events: Sequence[Event]) -> None:
        """Answer who waits for what has come, finish a deletion, or set the timer to what is due next."""
        del old, events
        self._answer_waiting()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if new.status == "DELETING":
            self._tell_later(self.room.options.state_transition, Ask(self._finish()))
        elif (due := next_due(new)) is not None:
            self._await(due)

    def _answer_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for message in waiting:
            if message.execution_id != self.state.id:
                message.reply.set_exception(no_execution())
            elif self.state.status in RUNNING:
                self._waiting.append(message)
            else:
                message.reply.set_result(self.state)

    def _await(self, due_ms: int) -> None:
        """What is due happens behind the answers that tell of it; else look again when it is, or in a day."""
        wait = due_ms - self.room.clock.now_ms()
        if wait > 0:
            self._tell_later(min(wait / 1000, LONGEST_TIMER_SECONDS), Wake())
        else:
            self._tell_later(0, Ask(GoOff(resource=self.resource, at_ms=self.room.clock.now_ms())))

    def _tell_later(self, seconds: float, message: object) -> None:
        post, stream = self.room.post, self.resource.stream
        if seconds:
            self._timer = self.room.scheduler.after(seconds, lambda: post.tell(stream, message))
        else:
            post.tell(stream, message)

    def _finish(self) -> FinishDeletion:
        now_ms = self.room.clock.now_ms()
        return FinishDeletion(resource=self.resource, at_ms=now_ms, execution_id=self.state.id)
