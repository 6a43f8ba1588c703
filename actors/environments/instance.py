"""An execution environment, as its function works with it.

The way of a warm invoke does not pass through the actor that owns the container (`instance_actor.py`): the function
assigns to the instance, the Runtime API hands over, and the answer goes from the Runtime API's thread to the caller.
"""

import logging
from typing import Any, TypeAlias

import pykka

from relambda.actors.clock import Timer
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.version import Version
from relambda.actors.environments.conversation import Conversation
from relambda.actors.environments.debugged_actor import DebuggedActor
from relambda.actors.environments.instance_actor import InstanceActor
from relambda.actors.environments.instance_messages import Reload, RestoreTimedOut, Resume, Start, Stop, TimedOut
from relambda.actors.environments.instance_spec import execution_environment
from relambda.actors.environments.phases import RESTORE_SECONDS
from relambda.actors.environments.run import Run
from relambda.actors.invocation import Invocation
from relambda.actors.messages import CodeChanged
from relambda.actors.packages.trees import needed_trees
from relambda.actors.room import Room

_log = logging.getLogger(__name__)
Parent: TypeAlias = "pykka.ActorRef[Any]"


class Instance:
    """A function's handle of one of its execution environments. Used on the function's thread only."""

    def __init__(
        self, resource: ResourceName, version: Version, room: Room, parent: Parent, tenant_id: str = ""
    ) -> None:
        self.id = room.new_id()
        self.resource, self.version, self.room, self.tenant_id = resource, version, room, tenant_id
        self.served = 0
        self.keepalive: Timer | None = None
        self.timeout = float(version.config["Timeout"])
        self.conversation = Conversation(self, parent)
        self.debugger = room.debugging.of(resource, version)
        self.hot = room.hot_reload.code_of(version, lambda: room.post.tell(resource.stream, CodeChanged(self)))
        self.environment = execution_environment(resource, version)
        self.session = room.runtime_api.open(
            self.token, self.conversation, self.environment, self.conversation.telemetry
        )
        self.trees = room.packages.hold(needed_trees([version]))
        self.actor = (InstanceActor if self.debugger is None else DebuggedActor).start(self, parent)
        self.conversation.actor = self.actor
        self.actor.tell(Start())

    @property
    def token(self) -> str:
        """The secret host name by which its container reaches the Runtime API."""
        return self.id.replace("-", "")

    def assign(self, invocation: Invocation) -> bool:
        """Run an invocation; False when the environment has ended, and the invocation is as it was.

        Its time begins when the runtime gets it, in a cold environment now. Its timer may so be early: the actor
        looks.
        """
        conversation, request_id = self.conversation, invocation.request_id
        run = Run(invocation, self.timeout, self.version.config["MemorySize"])
        if not conversation.slot.put(run):
            return False
        self.served += 1
        conversation.finishing, invocation.version = False, self.version.version
        run.timer = self.room.scheduler.after(self.timeout, lambda: self.tell(TimedOut(request_id)))
        event = invocation.event(self.resource.arn(invocation.qualifier))
        if conversation.init.cold:
            conversation.on_delivery(request_id)
            self.tell(Resume(event))
            return True
        if conversation.restoration.is_awaited:
            self.room.scheduler.after(RESTORE_SECONDS, lambda: self.tell(RestoreTimedOut(request_id)))
            conversation.restoration.begin(self.session)
        self.session.assign(event)
        return True

    def outdated(self) -> bool:
        """Whether its code is a folder that holds something else by now than its runtime loaded."""
        return self.hot is not None and self.hot.outdated()

    def reload(self) -> bool:
        """Start its processes anew; False when it ends instead, the folder it mounts being another one by now."""
        if self.hot is None or self.hot.replaced():
            self.stop()
            return False
        self.tell(Reload())
        return True

    def load_code(self) -> None:
        """Note what the runtime is going to find, be it while the former one still is being killed; its actor calls."""
        if self.hot is not None:
            self.hot.load()

    def stop(self) -> None:
        """End it, with its container; `InstanceGone` tells when it is done."""
        if self.keepalive is not None:
            self.keepalive.cancel()
        self.tell(Stop())

    def tell(self, message: object) -> None:
        """Tell its actor something, if that has not ended; any thread."""
        try:
            self.actor.tell(message)
        except pykka.ActorDeadError:
            _log.debug("instance %s has ended before it got %r", self.id, message)
