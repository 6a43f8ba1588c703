"""Aliases: names that point to a version, or share invocations between two."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Command, Event, event
from relambda.actors.domain.names import LATEST, ResourceName
from relambda.actors.domain.provisioned import following_alias
from relambda.actors.domain.qualifiers import dropped, without
from relambda.actors.domain.refusals import check_revision, conflict, invalid, not_found
from relambda.actors.domain.state import FunctionState, function

Weights = Mapping[str, float]
"""Shares of an alias's invocations, from 0 to 1, by the version that gets them; the rest is its own version's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAlias(Command):
    """Point a new name to a version."""

    name: str
    version: str
    revision_id: str
    description: str = ""
    weights: Weights = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateAlias(Command):
    """Change what is not None; empty weights end the sharing."""

    name: str
    revision_id: str
    version: str | None = None
    description: str | None = None
    weights: Weights | None = None
    expected_revision_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteAlias(Command):
    """Let a name go; what it points to stays."""

    name: str


@event("AliasCreated")
@dataclass(frozen=True, slots=True, kw_only=True)
class AliasCreated(Event):
    """A name points to a version."""

    name: str
    version: str
    description: str
    weights: Weights
    revision_id: str


@event("AliasUpdated")
@dataclass(frozen=True, slots=True, kw_only=True)
class AliasUpdated(Event):
    """A name is like this from now on."""

    name: str
    version: str
    description: str
    weights: Weights
    revision_id: str


@event("AliasDeleted")
@dataclass(frozen=True, slots=True, kw_only=True)
class AliasDeleted(Event):
    """A name is gone."""

    name: str


def weights_of(alias: Json) -> Weights:
    """The shares of other versions in an alias's invocations."""
    weights: Weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    return weights


def invokes(alias: Json, version: str) -> bool:
    """Whether an alias's invocations may run a version."""
    return bool(alias["FunctionVersion"] == version or version in weights_of(alias))


@function.decides(CreateAlias)
def create_alias(state: FunctionState, command: CreateAlias) -> Iterable[Event]:
    """A new name for a version that is there."""
    _check_target(command.resource, state, command.version, command.weights)
    if command.name in state.aliases:
        raise conflict(f"Alias already exists: {command.resource.arn(command.name)}")
    yield AliasCreated(
        at_ms=command.at_ms,
        name=command.name,
        version=command.version,
        description=command.description,
        weights=command.weights,
        revision_id=command.revision_id,
    )


@function.decides(UpdateAlias)
def update_alias(state: FunctionState, command: UpdateAlias) -> Iterable[Event]:
    """Another target, description or share; a change of nothing is a change too (TRAPS.md row 13)."""
    former = state.aliases.get(command.name)
    if former is None:
        raise not_found(f"Alias not found: {command.resource.arn(command.name)}")
    check_revision(command.expected_revision_id, former["RevisionId"])
    version = former["FunctionVersion"] if command.version is None else command.version
    weights = weights_of(former) if command.weights is None else command.weights
    _check_target(command.resource, state, version, weights)
    yield AliasUpdated(
        at_ms=command.at_ms,
        name=command.name,
        version=version,
        description=former["Description"] if command.description is None else command.description,
        weights=weights,
        revision_id=command.revision_id,
    )


def _check_target(resource: ResourceName, state: FunctionState, version: str, weights: Weights) -> None:
    """Recorded answers, in the order of error_messages_observed.tsv."""
    if len(weights) > 1:
        raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    if version in weights:
        raise invalid(
            f"Invalid function version {version}. Function version {version} is already included in routing "
            "configuration."
        )
    for number in (version, *weights):
        if number not in state.versions:
            raise not_found(f"Function not found: {resource.arn(number)}")
    if weights and version == LATEST:
        raise invalid("$LATEST is not supported for an alias pointing to more than 1 version", typed=False)


@function.decides(DeleteAlias)
def delete_alias(state: FunctionState, command: DeleteAlias) -> Iterable[Event]:
    """The end of a name; one that is not there is no error (AWS's answer as users have published it)."""
    if state.latest is None:
        raise not_found(f"Function not found: {command.resource.arn()}")
    if command.name in state.aliases:
        yield AliasDeleted(at_ms=command.at_ms, name=command.name)


@function.evolves(AliasCreated)
def alias_created(state: FunctionState, event: AliasCreated) -> FunctionState:
    """The name is there."""
    return replace(state, aliases={**state.aliases, event.name: _document(event)})


@function.evolves(AliasUpdated)
def alias_updated(state: FunctionState, event: AliasUpdated) -> FunctionState:
    """The name is as the event says, and its provisioned concurrency goes where it goes."""
    changed = replace(state, aliases={**state.aliases, event.name: _document(event)})
    return following_alias(changed, event.name)


@function.evolves(AliasDeleted)
def alias_deleted(state: FunctionState, event: AliasDeleted) -> FunctionState:
    """The name is gone, with all that hangs on it."""
    return replace(without(state, event.name), aliases=dropped(state.aliases, event.name))


def _document(event: AliasCreated | AliasUpdated) -> dict[str, Any]:
    """AliasConfiguration, but for the ARN; RoutingConfig is left out when nothing is shared (TRAPS.md row 13)."""
    routing = {"RoutingConfig": {"AdditionalVersionWeights": event.weights}} if event.weights else {}
    return {
        "Name": event.name,
        "FunctionVersion": event.version,
        "Description": event.description,
        **routing,
        "RevisionId": event.revision_id,
    }
