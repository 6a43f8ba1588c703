"""The actor of a capacity provider: lets Pending become Active, and Deleting end."""

from collections.abc import Sequence

from relambda.actors.domain.capacity_providers import CapacityProviderState, SettleCapacityProvider, capacity_provider
from relambda.actors.domain.decider import Event
from relambda.actors.domain.names import ResourceName
from relambda.actors.entity import EntityActor
from relambda.actors.messages import Ask
from relambda.actors.room import Room


class CapacityProviderActor(EntityActor[CapacityProviderState]):
    """Nothing has to be made here, so a transition takes as long as the user wants to see it (options.md)."""

    def __init__(self, resource: ResourceName, room: Room) -> None:
        super().__init__(resource, capacity_provider, room)
        self._begun = ""

    def on_start(self) -> None:
        """Fold the state and go on with what was Pending or Deleting."""
        super().on_start()
        self._go_on()

    def react(self, old: CapacityProviderState, new: CapacityProviderState, events: Sequence[Event]) -> None:
        """Begin what the new state shows under way."""
        del old, new, events
        self._go_on()

    def busy(self) -> bool:
        """A transition keeps the actor."""
        return self.state.unfinished

    def _go_on(self) -> None:
        if self._begun == self.state.state:
            return
        self._begun = self.state.state
        if self.state.unfinished:
            self._settle_later(self._begun)

    def _settle_later(self, begun: str) -> None:
        """The actor hears of it through its inbox, so the request's own answer still says what began."""
        room, resource = self.room, self.resource

        def settle() -> None:
            command = SettleCapacityProvider(resource=resource, at_ms=room.clock.now_ms(), begun=begun)
            room.post.tell(resource.stream, Ask(command))

        room.scheduler.after(room.options.state_transition, settle)
