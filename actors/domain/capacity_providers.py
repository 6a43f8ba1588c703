"""Capacity providers: where functions of managed instances run. Here they are records, and take no time to start."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Command, Decider, Event, ViewRow, event
from relambda.actors.domain.description import timestamp
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import Refusal, conflict, invalid, not_found
from relambda.actors.domain.tags import Tags, check_tags, taggable

PENDING, ACTIVE, DELETING = "Pending", "Active", "Deleting"
MOST_PROVIDERS = 1000
MOST_VERSIONS = 100
"""Quotas (Developer Guide, "Lambda Managed Instances quotas")."""
MEMBERS = (
    "VpcConfig",
    "PermissionsConfig",
    "InstanceRequirements",
    "CapacityProviderScalingConfig",
    "KmsKeyArn",
    "PropagateTags",
    "TelemetryConfig",
)
UPDATED_MEMBERS = ("CapacityProviderScalingConfig", "PropagateTags", "TelemetryConfig")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCapacityProvider(Command):
    """Create a provider; `others` is how many the account has in the region."""

    config: Json
    tags: Tags
    others: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateCapacityProvider(Command):
    """Replace those members that are given."""

    changes: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteCapacityProvider(Command):
    """Delete a provider; `used` tells whether a function version has it, and stays true until this is decided."""

    used: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleCapacityProvider(Command):
    """What began with the state `begun` is done."""

    begun: str


@event("CapacityProviderCreated")
@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityProviderCreated(Event):
    """There is a provider, Pending."""

    config: Json
    tags: Tags


@event("CapacityProviderUpdated")
@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityProviderUpdated(Event):
    """These members are the provider's."""

    changes: Json


@event("CapacityProviderActivated")
@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityProviderActivated(Event):
    """The provider can be used."""


@event("CapacityProviderDeletionBegun")
@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityProviderDeletionBegun(Event):
    """The provider is being deleted."""


@event("CapacityProviderDeleted")
@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityProviderDeleted(Event):
    """The provider is gone."""


@dataclass(frozen=True, slots=True)
class CapacityProviderState:
    """A provider in AWS's member names; `state` "" when there is none."""

    state: str = ""
    config: Json = field(default_factory=dict)
    modified_ms: int = 0
    tags: Tags = field(default_factory=dict)

    @property
    def unfinished(self) -> bool:
        """It is on its way to another state."""
        return self.state in {PENDING, DELETING}


def _rows(name: ResourceName, old: CapacityProviderState, new: CapacityProviderState) -> Iterable[ViewRow]:
    if (old.state, old.config, old.modified_ms) != (new.state, new.config, new.modified_ms):
        yield ViewRow("capacity_providers", name.key, describe(name, new) if new.state else None)
    if old.tags is not new.tags or bool(old.state) != bool(new.state):
        yield ViewRow("tags", name.stream, new.tags if new.state else None)
    if old.unfinished != new.unfinished:
        yield ViewRow("unfinished", name.stream, {} if new.unfinished else None)


def describe(name: ResourceName, state: CapacityProviderState) -> dict[str, Any]:
    """A provider as it is answered."""
    return {
        "CapacityProviderArn": name.arn(),
        "State": state.state,
        **state.config,
        "LastModified": timestamp(state.modified_ms),
    }


capacity_provider: Decider[CapacityProviderState] = Decider("capacity-provider", CapacityProviderState(), _rows)


def no_provider(arn: str) -> Refusal:
    """There is no such provider (error_messages_observed.tsv)."""
    return not_found(f"Capacity provider not found: {arn}")


def check_use(arn: str, provider: Json | None, versions: int) -> None:
    """Refuse a function version that a provider cannot take beside the `versions` it has. Raises Refusal."""
    if provider is None:
        raise no_provider(arn)
    if provider["State"] != ACTIVE:
        raise conflict(f"The capacity provider {arn} is currently in the following state: {provider['State']}")
    if versions >= MOST_VERSIONS:
        raise Refusal(
            "FunctionVersionsPerCapacityProviderLimitExceededException",
            f"A capacity provider has {MOST_VERSIONS} function versions at most: {arn}",
        )


@capacity_provider.decides(CreateCapacityProvider)
def create(state: CapacityProviderState, command: CreateCapacityProvider) -> Iterable[Event]:
    """A provider, Pending."""
    if state.state:
        raise conflict(f"Capacity provider already exists: {command.resource.arn()}")
    if command.others >= MOST_PROVIDERS:
        raise Refusal(
            "CapacityProviderLimitExceededException", f"An account has {MOST_PROVIDERS} capacity providers at most."
        )
    check_tags(command.tags)
    _check(command.config)
    yield CapacityProviderCreated(at_ms=command.at_ms, config=command.config, tags=command.tags)


def _check(config: Json) -> None:
    """The rules that the Developer Guide tells ("Capacity providers")."""
    requirements = config.get("InstanceRequirements", {})
    if requirements.get("AllowedInstanceTypes") and requirements.get("ExcludedInstanceTypes"):
        raise invalid("AllowedInstanceTypes and ExcludedInstanceTypes cannot both be specified.")
    scaling = config.get("CapacityProviderScalingConfig", {})
    if scaling.get("ScalingMode") == "Manual" and not scaling.get("ScalingPolicies"):
        raise invalid("ScalingPolicies are required when ScalingMode is Manual.")
    if scaling.get("ScalingMode", "Auto") == "Auto" and scaling.get("ScalingPolicies"):
        raise invalid("ScalingPolicies are supported when ScalingMode is Manual only.")


@capacity_provider.evolves(CapacityProviderCreated)
def created(state: CapacityProviderState, event: CapacityProviderCreated) -> CapacityProviderState:
    """It is there, Pending."""
    del state
    return CapacityProviderState(PENDING, event.config, event.at_ms, event.tags)


@capacity_provider.decides(UpdateCapacityProvider)
def update(state: CapacityProviderState, command: UpdateCapacityProvider) -> Iterable[Event]:
    """The members that are given, of a provider that is Active."""
    _check_active(command.resource, state)
    _check({**state.config, **command.changes})
    yield CapacityProviderUpdated(at_ms=command.at_ms, changes=command.changes)


@capacity_provider.evolves(CapacityProviderUpdated)
def updated(state: CapacityProviderState, event: CapacityProviderUpdated) -> CapacityProviderState:
    """It has them."""
    return replace(state, config={**state.config, **event.changes}, modified_ms=event.at_ms)


@capacity_provider.decides(DeleteCapacityProvider)
def delete(state: CapacityProviderState, command: DeleteCapacityProvider) -> Iterable[Event]:
    """The end begins of a provider that no function version has."""
    _check_active(command.resource, state)
    if command.used:
        raise conflict(f"The capacity provider is used by functions: {command.resource.arn()}")
    yield CapacityProviderDeletionBegun(at_ms=command.at_ms)


@capacity_provider.evolves(CapacityProviderDeletionBegun)
def deletion_begun(state: CapacityProviderState, event: CapacityProviderDeletionBegun) -> CapacityProviderState:
    """It is there, Deleting."""
    return replace(state, state=DELETING, modified_ms=event.at_ms)


@capacity_provider.decides(SettleCapacityProvider)
def settle(state: CapacityProviderState, command: SettleCapacityProvider) -> Iterable[Event]:
    """Pending becomes Active, Deleting ends; whatever it is not any more, it does not."""
    if state.state != command.begun:
        return
    if state.state == PENDING:
        yield CapacityProviderActivated(at_ms=command.at_ms)
    if state.state == DELETING:
        yield CapacityProviderDeleted(at_ms=command.at_ms)


@capacity_provider.evolves(CapacityProviderActivated)
def activated(state: CapacityProviderState, event: CapacityProviderActivated) -> CapacityProviderState:
    """It is Active."""
    del event
    return replace(state, state=ACTIVE)


@capacity_provider.evolves(CapacityProviderDeleted)
def deleted(state: CapacityProviderState, event: CapacityProviderDeleted) -> CapacityProviderState:
    """It is gone."""
    del state, event
    return CapacityProviderState()


def _check_active(name: ResourceName, state: CapacityProviderState) -> None:
    if not state.state:
        raise no_provider(name.arn())
    if state.state != ACTIVE:
        raise conflict(
            "The operation cannot be performed at this time. "
            f"The capacity provider is currently in the following state: {state.state}"
        )


def _tags(state: CapacityProviderState) -> Tags | None:
    return state.tags if state.state else None


def _with_tags(state: CapacityProviderState, tags: Mapping[str, str]) -> CapacityProviderState:
    return replace(state, tags=tags)


taggable(capacity_provider, _tags, _with_tags)
