"""The kinds of streams: the decider of each, and the actor that hosts it."""

from typing import Any

import pykka

from relambda.actors.async_queue import AsyncQueueActor
from relambda.actors.capacity_provider import CapacityProviderActor
from relambda.actors.domain import (
    aliases,
    async_invocation,
    capacity_providers,
    code_signing,
    concurrency_config,
    durable_callbacks,
    durable_checkpoint,
    durable_invocation,
    durable_state,
    event_invoke_config,
    function_url,
    functions,
    layer_policies,
    layers,
    mappings,
    policies,
    provisioned,
    publishing,
    recursion,
    runtime_management,
    scaling,
    tags,
)
from relambda.actors.domain.decider import Decider
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.state import function
from relambda.actors.durable import DurableActor
from relambda.actors.entity import EntityActor
from relambda.actors.function import FunctionActor
from relambda.actors.mapping import MappingActor
from relambda.actors.room import Room
from relambda.actors.system import ActorStart

RULES = (
    *(functions, publishing, aliases, policies, tags),
    *(concurrency_config, event_invoke_config, function_url, provisioned, recursion, runtime_management, scaling),
    *(layers, layer_policies, code_signing, capacity_providers),
    *(mappings, async_invocation, durable_callbacks, durable_checkpoint, durable_invocation),
)
"""Modules that register what they know with a decider; imported for that."""

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
