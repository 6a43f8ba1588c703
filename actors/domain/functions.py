"""A function's life: created, prepared, updated, deleted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from relambda.actors.domain import configuration
from relambda.actors.domain.configuration import Json, Layer
from relambda.actors.domain.decider import Command, Event, event
from relambda.actors.domain.limits import Limits
from relambda.actors.domain.names import LATEST, ResourceName
from relambda.actors.domain.publishing import publication, published, settled
from relambda.actors.domain.refusals import Refusal, check_revision, conflict, invalid, not_found
from relambda.actors.domain.state import FunctionState, Head, function
from relambda.actors.domain.tags import check_tags
from relambda.actors.domain.version import ACTIVE, CREATING, NON_INVOCABLE, SUCCESSFUL, UPDATING, Code, Status, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFunction(Command):
    """Create a function, `settings` being the configuration members that the request gives."""

    settings: Json
    code: Code
    revision_id: str
    limits: Limits
    tags: Mapping[str, str] = field(default_factory=dict)
    layers: tuple[Layer, ...] = ()
    code_signing_config_arn: str = ""
    publish: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFunctionCode(Command):
    """Replace the code of $LATEST."""

    code: Code
    revision_id: str
    expected_revision_id: str | None = None
    architectures: tuple[str, ...] | None = None
    publish: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFunctionConfiguration(Command):
    """Change configuration members of $LATEST; `layers` None leaves them."""

    settings: Json
    revision_id: str
    limits: Limits
    expected_revision_id: str | None = None
    layers: tuple[Layer, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteFunction(Command):
    """Delete the function with all its versions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishPreparation(Command):
    """Image and code of the version with this revision are ready, or failed with a reason and its code."""

    version: str
    prepared_revision_id: str
    revision_id: str
    failure: Status | None = None
    resolved_image_uri: str = ""


@event("FunctionCreated")
@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCreated(Event):
    """A function was created; its $LATEST waits for preparation."""

    config: Json
    code: Code
    revision_id: str
    tags: Mapping[str, str]
    layers: tuple[Layer, ...]
    code_signing_config_arn: str


@event("FunctionCodeUpdated")
@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCodeUpdated(Event):
    """$LATEST got other code; the former code serves until it is prepared."""

    code: Code
    config: Json
    revision_id: str


@event("FunctionConfigurationUpdated")
@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionConfigurationUpdated(Event):
    """$LATEST got another configuration; the former one serves until it is prepared."""

    config: Json
    layers: tuple[Layer, ...]
    revision_id: str


@event("FunctionDeleted")
@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionDeleted(Event):
    """The function is gone, with all that belonged to it."""


@event("PreparationFinished")
@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationFinished(Event):
    """A version that was Pending or InProgress is so no more."""

    version: str
    revision_id: str
    failure: Status | None
    resolved_image_uri: str = ""
    """The image with the digest that it had in its registry; "" for a zip, or an image that no registry has."""


def existing(resource: ResourceName, state: FunctionState, qualifier: str | None = None) -> Version:
    """$LATEST of a function that must be there. Raises Refusal: ResourceNotFoundException."""
    if state.latest is None:
        raise not_found(f"Function not found: {resource.arn(qualifier)}")
    return state.latest


@function.decides(CreateFunction)
def create(state: FunctionState, command: CreateFunction) -> Iterable[Event]:
    """A new function, published as its first version at once when asked."""
    if state.latest is not None:
        raise conflict(f"Function already exist: {command.resource.name}")
    config = configuration.with_defaults(command.resource, command.settings)
    configuration.check(config, command.settings, command.limits, command.at_ms, creating=True)
    check_tags(command.tags)
    created = FunctionCreated(
        at_ms=command.at_ms,
        config=config,
        code=command.code,
        revision_id=command.revision_id,
        tags=command.tags,
        layers=command.layers,
        code_signing_config_arn=command.code_signing_config_arn,
    )
    yield created
    if command.publish:
        yield published(function.evolve(state, created), command.at_ms, command.revision_id)


@function.evolves(FunctionCreated)
def created(state: FunctionState, event: FunctionCreated) -> FunctionState:
    """The function is there, pending."""
    latest = Version(
        version=LATEST,
        config=event.config,
        code=event.code,
        revision_id=event.revision_id,
        modified_ms=event.at_ms,
        layers=event.layers,
        state=CREATING,
    )
    head = Head(created_ms=event.at_ms, tags=event.tags, code_signing_config_arn=event.code_signing_config_arn)
    return replace(state, head=head, versions={LATEST: latest})


@function.decides(UpdateFunctionCode)
def update_code(state: FunctionState, command: UpdateFunctionCode) -> Iterable[Event]:
    """Other code for $LATEST; a dry run decides and lets nothing happen."""
    latest = settled(command.resource, state)
    check_revision(command.expected_revision_id, latest.revision_id)
    image = latest.config["PackageType"] == "Image"
    if image and not command.code.image_uri:
        raise invalid("Please provide ImageUri when updating a function with packageType Image.")
    if not image and command.code.image_uri:
        raise invalid("Please don't provide ImageUri when updating a function with packageType Zip.")
    if command.dry_run:
        return
    config = dict(latest.config)
    if command.architectures:
        config["Architectures"] = list(command.architectures)
    updated = FunctionCodeUpdated(
        at_ms=command.at_ms, code=command.code, config=config, revision_id=command.revision_id
    )
    yield updated
    after = function.evolve(state, updated)
    if command.publish and publication(after) is None:
        yield published(after, command.at_ms, command.revision_id)


@function.evolves(FunctionCodeUpdated)
def code_updated(state: FunctionState, event: FunctionCodeUpdated) -> FunctionState:
    """$LATEST is in progress with the new code."""
    changed = replace(_latest(state), code=event.code, config=event.config)
    return _updating(state, changed, event.revision_id, event.at_ms)


@function.decides(UpdateFunctionConfiguration)
def update_configuration(state: FunctionState, command: UpdateFunctionConfiguration) -> Iterable[Event]:
    """Other configuration for $LATEST; a change of nothing is a change too (TRAPS.md row 7)."""
    latest = settled(command.resource, state)
    check_revision(command.expected_revision_id, latest.revision_id)
    config = configuration.merged(latest.config, command.settings)
    configuration.check(config, command.settings, command.limits, command.at_ms, creating=False)
    yield FunctionConfigurationUpdated(
        at_ms=command.at_ms,
        config=config,
        layers=latest.layers if command.layers is None else command.layers,
        revision_id=command.revision_id,
    )


@function.evolves(FunctionConfigurationUpdated)
def configuration_updated(state: FunctionState, event: FunctionConfigurationUpdated) -> FunctionState:
    """$LATEST is in progress with the new configuration."""
    changed = replace(_latest(state), config=event.config, layers=event.layers)
    return _updating(state, changed, event.revision_id, event.at_ms)


def _updating(state: FunctionState, changed: Version, revision_id: str, at_ms: int) -> FunctionState:
    before = _latest(state)
    serving = before if before.state.value == "Active" else None
    changed = replace(changed, revision_id=revision_id, modified_ms=at_ms, update=UPDATING, serving=serving)
    return with_version(state, changed)


@function.decides(FinishPreparation)
def finish(state: FunctionState, command: FinishPreparation) -> Iterable[Event]:
    """The end of a preparation, unless it is of a version or revision that is no more."""
    version = state.versions.get(command.version)
    if version is None or not version.unfinished or version.revision_id != command.prepared_revision_id:
        return
    yield PreparationFinished(
        at_ms=command.at_ms,
        version=command.version,
        revision_id=command.revision_id,
        failure=command.failure,
        resolved_image_uri=command.resolved_image_uri,
    )


@function.evolves(PreparationFinished)
def finished(state: FunctionState, event: PreparationFinished) -> FunctionState:
    """The version is Active and Successful, or Failed with the reason; its image stays the one of this digest."""
    version = replace(state.versions[event.version], revision_id=event.revision_id, serving=None)
    if digest := event.resolved_image_uri:
        code = replace(version.code, resolved_image_uri=digest, sha256=digest.rpartition(":")[2])
        version = replace(version, code=code)
    active = NON_INVOCABLE if version.version == LATEST and "CapacityProviderConfig" in version.config else ACTIVE
    if version.state.value == "Pending":
        version = replace(version, state=event.failure or active, update=SUCCESSFUL if not event.failure else None)
    else:
        version = replace(version, state=active, update=event.failure or SUCCESSFUL)
    return with_version(state, version)


@function.decides(DeleteFunction)
def delete(state: FunctionState, command: DeleteFunction) -> Iterable[Event]:
    """The end of the function."""
    existing(command.resource, state)
    yield FunctionDeleted(at_ms=command.at_ms)


@function.evolves(FunctionDeleted)
def deleted(state: FunctionState, event: FunctionDeleted) -> FunctionState:
    """Nothing is left but the number of the last version."""
    del event
    return FunctionState(last_version=state.last_version)


def with_version(state: FunctionState, version: Version) -> FunctionState:
    """The state with a version in the place of the one of the same number."""
    return replace(state, versions={**state.versions, version.version: version})


def _latest(state: FunctionState) -> Version:
    if state.latest is None:
        raise Refusal("ServiceException", "the log changes a function that it has not created")
    return state.latest
