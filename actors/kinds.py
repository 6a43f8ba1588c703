"""The kinds of streams: the decider of each, and the actor that hosts it."""

from typing import Any

import pykka

from relambda.actors import domain
from relambda.actors.async_queue import AsyncQueueActor
from relambda.actors.capacity_provider import CapacityProviderActor
from relambda.actors.domain import async_invocation, capacity_providers, code_signing, durable_state, layers, mappings
from relambda.actors.domain.decider import Decider
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.state import function
from relambda.actors.durable import DurableActor
from relambda.actors.entity import EntityActor
from relambda.actors.function import FunctionActor
from relambda.actors.mapping import MappingActor
from relambda.actors.room import Room
from relambda.actors.system import ActorStart

domain.load()

DECIDERS: dict[str, Decider[Any]] = {
    decider.kind: decider
    for decider in (
        function,
        layers.layer,
        code_signing.code_signing,
        capacity_providers.capacity_provider,
        *(mappings.mapping, async_invocation.queue, durable_state.durable),
    )
}


def _host(decider: Decider[Any]) -> ActorStart:
    def start(resource: ResourceName, room: Room) -> "pykka.ActorRef[Any]":
        return EntityActor.start(resource, decider, room)

    return start


STARTS: dict[str, ActorStart] = {
    **{kind: _host(decider) for kind, decider in DECIDERS.items()},
    function.kind: FunctionActor.start,
    mappings.mapping.kind: MappingActor.start,
    async_invocation.queue.kind: AsyncQueueActor.start,
    durable_state.durable.kind: DurableActor.start,
    capacity_providers.capacity_provider.kind: CapacityProviderActor.start,
}
