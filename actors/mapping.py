"""The actor of an event source mapping: ends the transitions that its commands begin."""

from collections.abc import Sequence

from relambda.actors.domain.decider import Event
from relambda.actors.domain.mappings import ENDS, MappingState, Settle, mapping
from relambda.actors.domain.names import ResourceName
from relambda.actors.entity import EntityActor
from relambda.actors.messages import Ask
from relambda.actors.room import Room


class MappingActor(EntityActor[MappingState]):
    """Owns a mapping's stream. Polling the source is not its work yet: no message moves."""

    def __init__(self, resource: ResourceName, room: Room) -> None:
        super().__init__(resource, mapping, room)

    def started(self) -> None:
        """Go on with a transition."""
        self.react(self.state, self.state, ())

    def react(self, old: MappingState, new: MappingState, events: Sequence[Event]) -> None:
        """Settle what is in transition: at once unless the user wants to see it, and always behind this answer."""
        del events
        if new.state not in ENDS or (old.state == new.state and old is not new):
            return
        delay, post, stream, state = self.room.options.state_transition, self.room.post, self.resource.stream, new.state
        if delay:
            self.room.scheduler.after(delay, lambda: post.tell(stream, Ask(self._settle(state))))
        else:
            post.tell(stream, Ask(self._settle(state)))

    def busy(self) -> bool:
        """A transition keeps the actor."""
        return self.state.state in ENDS

    def _settle(self, state: str) -> Settle:
        return Settle(resource=self.resource, at_ms=self.room.clock.now_ms(), state=state)
