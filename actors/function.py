"""The actor of a function: decides its commands, prepares its versions, runs its invocations."""

import random
import sys
from collections.abc import Sequence
from dataclasses import replace

from relambda.actors.domain.decider import Event
from relambda.actors.domain.functions import FinishPreparation
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import Refusal
from relambda.actors.domain.routing import check_admission, invocable, resolve
from relambda.actors.domain.state import FunctionState, function
from relambda.actors.domain.version import Status, Version
from relambda.actors.entity import EntityActor
from relambda.actors.environments.failures import Failure
from relambda.actors.environments.fleet import Fleet
from relambda.actors.environments.instance import Instance
from relambda.actors.invocation import Invocation
from relambda.actors.messages import (
    CodeChanged,
    Drain,
    InstanceGone,
    InstanceIdle,
    InstanceResets,
    Invoke,
    Prepared,
    Reap,
    Undelivered,
)
from relambda.actors.packages.trees import needed_trees
from relambda.actors.preparation import Outcome
from relambda.actors.provisioning import Provisioning
from relambda.actors.room import Room
from relambda.actors.traces.trace import Trace, trace_of, unrecorded


class FunctionActor(EntityActor[FunctionState]):
    """Owns a function's stream and supervises its instances; instances are volatile and never in the log."""

    def __init__(self, resource: ResourceName, room: Room) -> None:
        super().__init__(resource, function, room)
        self._fleets: dict[tuple[str, str], Fleet] = {}
        """By version and tenant: tenants share no environment."""
        self._retired: list[Fleet] = []
        self._preparing: set[tuple[str, str]] = set()
        self._snapshots: dict[str, Prepared] = {}
        """Versions with SnapStart that wait for their first environment."""
        self._provisioning = Provisioning(resource, room)
        self._random = random.Random()
        self._drained: Drain | None = None

    def started(self) -> None:
        """Go on with what was Pending or InProgress."""
        self._reserve(self.state)
        self._prepare_unfinished()
        self._provisioning.go_on(self.state)

    def receive(self, message: object) -> None:
        """Handle what is told by callers, instances, preparation and timers."""
        match message:
            case Invoke(invocation):
                self._invoke(invocation)
            case InstanceIdle(instance):
                self._idle(instance)
            case InstanceResets(instance):
                self._resets(instance)
            case Undelivered(invocation):
                self._again(invocation)
            case InstanceGone(instance, failure):
                self._gone(instance, failure)
            case Reap(instance, served):
                self._reap(instance, served)
            case CodeChanged(instance):
                self._code_changed(instance)
            case Prepared():
                self._prepared(message)
            case Drain():
                self._drain(message)
            case _:
                super().receive(message)

    def react(self, old: FunctionState, new: FunctionState, events: Sequence[Event]) -> None:
        """Go on with what is unfinished, and let instances of what is no more end."""
        del events
        self._provisioning.go_on(new)
        if old.head is not new.head:
            self._reserve(new)
        if old.versions is not new.versions:
            self._prepare_unfinished()
            self._retire_outdated()
            self.room.trees.doubt(needed_trees(old.versions.values()) - needed_trees(new.versions.values()))

    def busy(self) -> bool:
        """Instances and preparations keep the actor."""
        return bool(self._fleets or self._retired or self._preparing)

    def end(self) -> None:
        """Instances end with their supervisor."""
        for fleet in [*self._fleets.values(), *self._retired]:
            for invocation in fleet.take_waiting():
                invocation.refuse(Refusal("ServiceException", "The function's actor was stopped; try again."))
            for instance in fleet.instances():
                instance.stop()

    def _reserve(self, state: FunctionState) -> None:
        self.room.concurrency.reserve(self.resource, state.head.reserved_concurrency if state.head else None)

    def _prepare_unfinished(self) -> None:
        for version in self.state.versions.values():
            key = (version.version, version.revision_id)
            if version.unfinished and key not in self._preparing:
                self._preparing.add(key)
                self.room.preparation.begin(version, lambda outcome, key=key: self._ready_later(key, outcome))  # type: ignore[misc]

    def _ready_later(self, key: tuple[str, str], outcome: Outcome) -> None:
        """Called on a preparation's thread: hold the transition visible for as long as the user wants."""
        stream, post = self.resource.stream, self.room.post
        message = Prepared(*key, outcome.failure, outcome.resolved_image_uri)
        if self.room.options.state_transition:
            self.room.scheduler.after(self.room.options.state_transition, lambda: post.tell(stream, message))
        else:
            post.tell(stream, message)

    def _prepared(self, message: Prepared) -> None:
        version = self.state.versions.get(message.version)
        if message.failure is None and version is not None and version.snap_started:
            self._snapshots[message.version] = message
            self._fleet(version, "").prime()
        else:
            self._finish(message)

    def _snapshot_taken(self, version: str, failure: Failure | None = None) -> None:
        """The first environment of a version with SnapStart has initialised, or could not: Active, or Failed."""
        message = self._snapshots.pop(version, None)
        if message is None:
            return
        status = None if failure is None else Status("Failed", failure.words, "FunctionError")
        self._finish(replace(message, failure=status))

    def _finish(self, message: Prepared) -> None:
        self._preparing.discard((message.version, message.revision_id))
        finish = FinishPreparation(
            resource=self.resource,
            at_ms=self.room.clock.now_ms(),
            version=message.version,
            prepared_revision_id=message.revision_id,
            revision_id=self.room.new_id(),
            failure=message.failure,
            resolved_image_uri=message.resolved_image_uri,
        )
        self.apply(finish)

    def _invoke(self, invocation: Invocation) -> None:
        try:
            number = resolve(self.resource, self.state, invocation.qualifier, self._random.random())
            version = invocable(self.resource, self.state, number)
            check_admission(version, invocation.qualifier, invocation.tenant_id)
            invocation.on_end = self.room.concurrency.acquire(self.resource)
            self._trace(invocation, version)
        except Refusal as refusal:
            invocation.refuse(refusal)
            return
        self._fleet(version, invocation.tenant_id).invoke(invocation)

    def _fleet(self, version: Version, tenant_id: str) -> Fleet:
        """The instances of a version for a tenant; of a debugged one there is a single one."""
        key = version.version, tenant_id
        fleet = self._fleets.get(key)
        if fleet is None:
            most = sys.maxsize if self.room.debugging.of(self.resource, version) is None else 1
            fleet = Fleet(version, lambda version: self._start_instance(version, tenant_id), most)
            self._fleets[key] = fleet
        return fleet

    def _start_instance(self, version: Version, tenant_id: str) -> Instance:
        return Instance(self.resource, version, self.room, self.actor_ref, tenant_id)

    def _fleet_of(self, instance: Instance) -> Fleet | None:
        return self._fleets.get((instance.version.version, instance.tenant_id))

    def _trace(self, invocation: Invocation, version: Version) -> None:
        header = trace_of(invocation.trace_id, active=version.config["TracingConfig"]["Mode"] == "Active")
        if header is None:
            invocation.trace_id = unrecorded(invocation.trace_id)
            return
        now_ms, room = self.room.clock.now_ms(), self.room
        trace = Trace(self.resource, version.version, invocation.request_id, header, room.clock, room.traces, now_ms)
        invocation.trace, invocation.trace_id = trace, trace.passed_on

    def _idle(self, instance: Instance) -> None:
        self._snapshot_taken(instance.version.version)
        fleet = self._fleet_of(instance)
        if fleet is None or not fleet.owns(instance):
            instance.stop()
        elif fleet.idle(instance):
            self._keep_alive(instance)

    def _resets(self, instance: Instance) -> None:
        fleet = self._fleet_of(instance)
        if fleet is not None:
            fleet.resets(instance)

    def _code_changed(self, instance: Instance) -> None:
        fleet = self._fleet_of(instance)
        if fleet is not None:
            fleet.code_changed(instance)

    def _keep_alive(self, instance: Instance) -> None:
        if self.room.options.keepalive <= 0:
            self._reap(instance, instance.served)
            return
        if instance.keepalive is not None:
            instance.keepalive.cancel()
        message = Reap(instance, instance.served)
        stream, post = self.resource.stream, self.room.post
        instance.keepalive = self.room.scheduler.after(self.room.options.keepalive, lambda: post.tell(stream, message))

    def _reap(self, instance: Instance, served: int) -> None:
        fleet = self._fleet_of(instance)
        if fleet is not None and instance.served == served and fleet.reap(instance):
            instance.stop()
            self._forget_empty()

    def _gone(self, instance: Instance, failure: Failure | None) -> None:
        for fleet in [*self._fleets.values(), *self._retired]:
            if fleet.owns(instance):
                fleet.gone(instance, failure)
        if failure is not None:
            self._snapshot_taken(instance.version.version, failure)
        self._forget_empty()

    def _retire_outdated(self) -> None:
        """A change reaches warm containers: those of another code or configuration end, at once or when done."""
        for key, fleet in list(self._fleets.items()):
            version = self.state.versions.get(fleet.version.version)
            serving = version and (version.serving or version)
            if serving is not None and fleet.runs(serving):
                continue
            del self._fleets[key]
            self._retired.append(fleet)
            released, waiting = fleet.let_go()
            for instance in released:
                instance.stop()
            for invocation in waiting:
                self._again(invocation)
        self._forget_empty()

    def _again(self, invocation: Invocation) -> None:
        """Invoke once more what waited for an instance that is not to be, or whose runtime never took it."""
        if self._drained is not None:
            invocation.refuse(Refusal("ServiceException", "The function's environments are being stopped; try again."))
            return
        try:
            number = resolve(self.resource, self.state, invocation.qualifier, self._random.random())
            version = invocable(self.resource, self.state, number)
        except Refusal as refusal:
            invocation.refuse(refusal)
            return
        self._fleet(version, invocation.tenant_id).invoke(invocation)

    def _forget_empty(self) -> None:
        self._retired = [fleet for fleet in self._retired if not fleet.empty]
        self._fleets = {key: fleet for key, fleet in self._fleets.items() if not fleet.empty}
        if self._drained is not None and not (self._fleets or self._retired):
            self._drained.done.set_result(None)
            self._drained = None

    def _drain(self, message: Drain) -> None:
        self._drained = message
        self.end()
        self._forget_empty()
