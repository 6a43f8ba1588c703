"""Event source mappings: created, changed, deleted, and the states they go through on the way.

A mapping is a stream of its own, named by its UUID. It outlives its function (TRAPS.md row 19), whose existence is
known to who commands. States: Creating, Enabling, Updating end Enabled, Disabling ends Disabled, Deleting ends the
mapping; `Settle` is the end of the transition.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Command, Decider, Event, ViewRow, event
from relambda.actors.domain.mapping_checks import check
from relambda.actors.domain.mapping_sources import Source, duplicate_text, identities, source_of
from relambda.actors.domain.names import ResourceName, Scope
from relambda.actors.domain.refusals import Refusal, invalid, not_found
from relambda.actors.domain.tags import Tags, check_tags, taggable

ENDS: Mapping[str, str] = {
    "Creating": "Enabled",
    "Enabling": "Enabled",
    "Updating": "Enabled",
    "Disabling": "Disabled",
    "Deleting": "",
}
"""How transitions end; "" is the end of the mapping."""
_NOT_SETTINGS = frozenset({"FunctionName", "Enabled", "Tags", "UUID"})


@dataclass(frozen=True, slots=True)
class Target:
    """The function of a mapping, as it is when the command is made."""

    arn: str
    """With the qualifier that was given, or none."""
    exists: bool = True
    tenant_isolated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateMapping(Command):
    """Map a source to a function; `taken_by` is the UUID of another mapping of the same, if there is one."""

    request: Json
    target: Target
    taken_by: str | None = None
    tags: Tags = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateMapping(Command):
    """Change what `request` gives; `target` None leaves the function."""

    request: Json
    target: Target | None = None
    taken_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteMapping(Command):
    """End the mapping."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle(Command):
    """The transition to a state is over, if the mapping is in that state still."""

    state: str


@event("MappingCreated")
@dataclass(frozen=True, slots=True, kw_only=True)
class MappingCreated(Event):
    """There is a mapping, in AWS's member names, in this state."""

    settings: Json
    state: str
    tags: Tags


@event("MappingUpdated")
@dataclass(frozen=True, slots=True, kw_only=True)
class MappingUpdated(Event):
    """The mapping has these settings, all of them told, and is in this state."""

    settings: Json
    state: str


@event("MappingDeletionRequested")
@dataclass(frozen=True, slots=True, kw_only=True)
class MappingDeletionRequested(Event):
    """The mapping is about to end."""


@event("MappingSettled")
@dataclass(frozen=True, slots=True, kw_only=True)
class MappingSettled(Event):
    """A transition is over."""

    state: str


@event("MappingDeleted")
@dataclass(frozen=True, slots=True, kw_only=True)
class MappingDeleted(Event):
    """The mapping is gone."""


@dataclass(frozen=True, slots=True)
class MappingState:
    """A mapping: its settings, state and tags; `settings` None when there is none."""

    settings: Json | None = None
    state: str = ""
    modified_ms: int = 0
    tags: Tags = field(default_factory=dict)


def describe(resource: ResourceName, state: MappingState) -> dict[str, Any]:
    """EventSourceMappingConfiguration, as every operation answers it."""
    if state.settings is None:
        raise missing()
    return {
        "UUID": resource.name,
        "EventSourceMappingArn": resource.arn(),
        **state.settings,
        "LastModified": state.modified_ms / 1000,
        "State": state.state,
        "StateTransitionReason": source_of(state.settings).reason,
    }


def source_key(scope: Scope, identity: str) -> str:
    """The key of the view row that tells which mapping has a source and function."""
    return f"{scope.prefix}{hashlib.sha1(identity.encode(), usedforsecurity=False).hexdigest()}"


def _rows(resource: ResourceName, old: MappingState, new: MappingState) -> Iterable[ViewRow]:
    if old.tags is not new.tags or (old.settings is None) != (new.settings is None):
        yield ViewRow("mapping_tags", resource.key, None if new.settings is None else dict(new.tags))
    if (old.settings, old.state, old.modified_ms) == (new.settings, new.state, new.modified_ms):
        return
    yield ViewRow("mappings", resource.key, None if new.settings is None else describe(resource, new))
    were, are = ({} if each.settings is None else dict.fromkeys(identities(each.settings)) for each in (old, new))
    for identity in were.keys() ^ are.keys():
        owner = {"UUID": resource.name} if identity in are else None
        yield ViewRow("mapping_sources", source_key(resource.scope, identity), owner)
    if (old.state in ENDS) != (new.state in ENDS):
        yield ViewRow("unfinished", resource.stream, {} if new.state in ENDS else None)


mapping: Decider[MappingState] = Decider("event-source-mapping", MappingState(), _rows)


def missing() -> Refusal:
    """There is no such mapping."""
    return not_found("The resource you requested does not exist.")


@mapping.decides(CreateMapping)
def create(state: MappingState, command: CreateMapping) -> Iterable[Event]:
    """A new mapping: Creating, or Disabled at once when it is to be so (FACTS.md section 5)."""
    assert state.settings is None, "UUIDs are fresh"
    source = source_of(command.request)
    _check_target(command.target)
    given = _given(command.request)
    settings = _shown({**source.defaults, **_group(command.resource, source), **given}, command.target.arn)
    check(source, given, settings, command.at_ms)
    _check_taken(source, settings, command.taken_by)
    check_tags(command.tags)
    enabled = command.request.get("Enabled", True)
    yield MappingCreated(
        at_ms=command.at_ms, settings=settings, state="Creating" if enabled else "Disabled", tags=command.tags
    )


@mapping.evolves(MappingCreated)
def created(state: MappingState, event: MappingCreated) -> MappingState:
    """It is there."""
    del state
    return MappingState(event.settings, event.state, event.at_ms, event.tags)


@mapping.decides(UpdateMapping)
def update(state: MappingState, command: UpdateMapping) -> Iterable[Event]:
    """Other settings: an enabled mapping is Updating for a while, one that is switched Enabling or Disabling."""
    former = _existing(state)
    _check_free(state, "update")
    source = source_of(former)
    if command.target is not None:
        _check_target(command.target)
    arn = former["FunctionArn"] if command.target is None else command.target.arn
    given = _given(command.request)
    settings = _shown({**former, **given}, arn)
    check(source, given, settings, command.at_ms)
    _check_taken(source, settings, command.taken_by)
    yield MappingUpdated(
        at_ms=command.at_ms, settings=settings, state=_switched(state.state, command.request.get("Enabled"))
    )


def _switched(state: str, enabled: bool | None) -> str:
    if state == "Enabled":
        return "Disabling" if enabled is False else "Updating"
    return "Enabling" if enabled else state


@mapping.evolves(MappingUpdated)
def updated(state: MappingState, event: MappingUpdated) -> MappingState:
    """It is changed."""
    return replace(state, settings=event.settings, state=event.state, modified_ms=event.at_ms)


@mapping.decides(DeleteMapping)
def delete(state: MappingState, command: DeleteMapping) -> Iterable[Event]:
    """The beginning of the end."""
    _existing(state)
    _check_free(state, "delete")
    yield MappingDeletionRequested(at_ms=command.at_ms)


@mapping.evolves(MappingDeletionRequested)
def deleting(state: MappingState, event: MappingDeletionRequested) -> MappingState:
    """It is about to be gone."""
    return replace(state, state="Deleting", modified_ms=event.at_ms)


@mapping.decides(Settle)
def settle(state: MappingState, command: Settle) -> Iterable[Event]:
    """The end of a transition that is still under way."""
    if state.state != command.state or state.state not in ENDS:
        return
    end = ENDS[state.state]
    yield MappingSettled(at_ms=command.at_ms, state=end) if end else MappingDeleted(at_ms=command.at_ms)


@mapping.evolves(MappingSettled)
def settled(state: MappingState, event: MappingSettled) -> MappingState:
    """It is Enabled or Disabled."""
    return replace(state, state=event.state, modified_ms=event.at_ms)


@mapping.evolves(MappingDeleted)
def deleted(state: MappingState, event: MappingDeleted) -> MappingState:
    """Nothing is left."""
    del state, event
    return MappingState()


def _given(request: Json) -> dict[str, Any]:
    return {name: value for name, value in request.items() if name not in _NOT_SETTINGS and value is not None}


def _group(resource: ResourceName, source: Source) -> Json:
    """Kafka's consumer group is a fresh UUID unless one is given (API reference, ConsumerGroupId)."""
    member = {"kafka": "AmazonManagedKafkaEventSourceConfig", "self-managed-kafka": "SelfManagedKafkaEventSourceConfig"}
    return {member[source.kind]: {"ConsumerGroupId": resource.name}} if source.kind in member else {}


def _shown(settings: dict[str, Any], function_arn: str) -> dict[str, Any]:
    """Settings as they are kept: no empty filters, destinations with OnFailure, the function's ARN."""
    if not settings.get("FilterCriteria", {}).get("Filters"):
        settings.pop("FilterCriteria", None)
    if "DestinationConfig" in settings:
        destination = settings["DestinationConfig"].get("OnFailure", {}).get("Destination")
        settings["DestinationConfig"] = {"OnFailure": {"Destination": destination} if destination else {}}
    return {**settings, "FunctionArn": function_arn}


def _existing(state: MappingState) -> Json:
    if state.settings is None:
        raise missing()
    return state.settings


def _check_free(state: MappingState, verb: str) -> None:
    if state.state in ENDS:
        raise Refusal("ResourceInUseException", f"Cannot {verb} the event source mapping because it is in use.")


def _check_target(target: Target) -> None:
    if not target.exists:
        raise invalid("Function does not exist")
    if target.tenant_isolated:
        raise invalid("Event source mappings are not supported for functions with tenant isolation.")


def _check_taken(source: Source, settings: Json, uuid: str | None) -> None:
    if uuid is not None:
        raise Refusal("ResourceConflictException", duplicate_text(source, settings, uuid))


def _tags(state: MappingState) -> Tags | None:
    return None if state.settings is None else state.tags


taggable(mapping, _tags, lambda state, tags: replace(state, tags=tags))
