"""Provisioned concurrency of one function on its way from IN_PROGRESS to READY."""

from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.provisioned import FinishProvisioning, in_progress, wanted
from relambda.actors.domain.state import FunctionState
from relambda.actors.messages import Ask
from relambda.actors.room import Room


class Provisioning:
    """Finishes requests once the version they are for is ready. Used on the function actor's thread alone."""

    def __init__(self, resource: ResourceName, room: Room) -> None:
        self._resource, self._room = resource, room
        self._under_way: set[tuple[str, str, int]] = set()

    def go_on(self, state: FunctionState) -> None:
        """Begin what the state shows in progress and is not begun yet; forget what is in progress no more."""
        requests = {(qualifier, *wanted(config)) for qualifier, config in in_progress(state).items()}
        self._under_way &= requests
        for request in requests - self._under_way:
            version = state.versions.get(request[1])
            if version is not None and not version.unfinished:
                self._under_way.add(request)
                self._finish_later(*request)

    def _finish_later(self, qualifier: str, version: str, requested: int) -> None:
        """The actor hears of it through its inbox, so the request's own answer still says IN_PROGRESS."""
        room, stream = self._room, self._resource.stream

        def finish() -> None:
            command = FinishProvisioning(
                resource=self._resource,
                at_ms=room.clock.now_ms(),
                qualifier=qualifier,
                version=version,
                requested=requested,
            )
            room.post.tell(stream, Ask(command))

        room.scheduler.after(room.options.state_transition, finish)
