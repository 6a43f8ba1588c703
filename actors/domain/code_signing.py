"""Code-signing configurations, and which of them a function has.

Signatures are not verified here: nothing outside the project is called, so whatever the policy says, code is taken.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Command, Decider, Event, ViewRow, event
from relambda.actors.domain.description import timestamp
from relambda.actors.domain.functions import existing
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import Refusal, conflict, invalid, not_found
from relambda.actors.domain.state import FunctionState, function
from relambda.actors.domain.tags import Tags, check_tags, taggable

DEFAULTS: Json = {"Description": "", "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Warn"}}
"""Warn unless told otherwise (API reference, "CodeSigningPolicies")."""
MEMBERS = ("Description", "AllowedPublishers", "CodeSigningPolicies")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCodeSigningConfig(Command):
    """Create a configuration under a fresh id."""

    config: Json
    tags: Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateCodeSigningConfig(Command):
    """Replace those members that are given."""

    changes: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteCodeSigningConfig(Command):
    """Delete a configuration; `used` tells whether a function has it, and stays true until this is decided."""

    used: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachCodeSigningConfig(Command):
    """Let a function have a configuration, which is there; "" takes it away."""

    arn: str


@event("CodeSigningConfigCreated")
@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSigningConfigCreated(Event):
    """There is a configuration."""

    config: Json
    tags: Tags


@event("CodeSigningConfigUpdated")
@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSigningConfigUpdated(Event):
    """These members are the configuration's."""

    changes: Json


@event("CodeSigningConfigDeleted")
@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSigningConfigDeleted(Event):
    """The configuration is gone."""


@event("CodeSigningConfigAttached")
@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSigningConfigAttached(Event):
    """The function has this configuration; "" is none."""

    arn: str


@dataclass(frozen=True, slots=True)
class CodeSigningState:
    """A configuration in AWS's member names, None when there is none."""

    config: Json | None = None
    modified_ms: int = 0
    tags: Tags = field(default_factory=dict)


def _rows(name: ResourceName, old: CodeSigningState, new: CodeSigningState) -> Iterable[ViewRow]:
    if old.config is not new.config or old.modified_ms != new.modified_ms:
        yield ViewRow("code_signing_configs", name.key, describe(name, new) if new.config else None)
    if old.tags is not new.tags or (old.config is None) != (new.config is None):
        yield ViewRow("tags", name.stream, None if new.config is None else new.tags)


def describe(name: ResourceName, state: CodeSigningState) -> dict[str, Any]:
    """A configuration as it is answered."""
    return {
        "CodeSigningConfigId": name.name,
        "CodeSigningConfigArn": name.arn(),
        **(state.config or {}),
        "LastModified": timestamp(state.modified_ms),
    }


code_signing: Decider[CodeSigningState] = Decider("code-signing-config", CodeSigningState(), _rows)


def no_config(arn: str) -> Refusal:
    """There is no such configuration to read, change or delete (error_messages_observed.tsv)."""
    return not_found(f"The Lambda code signing configuration {arn} can not be found.", typed=False)


def no_config_to_attach(arn: str) -> Refusal:
    """There is no such configuration for a function to have (error_messages_observed.tsv)."""
    return Refusal(
        "CodeSigningConfigNotFoundException",
        f"The code signing configuration cannot be found. Check that the provided configuration is not deleted: {arn}.",
    )


def check_package_type(package_type: str) -> None:
    """Only zips are signed; the words are AWS's as users have published them. Raises Refusal."""
    if package_type == "Image":
        raise invalid("Code signing is not supported for functions created with container images.")


@code_signing.decides(CreateCodeSigningConfig)
def create(state: CodeSigningState, command: CreateCodeSigningConfig) -> Iterable[Event]:
    """A configuration, with the defaults for what is not given."""
    if state.config is not None:
        raise conflict(f"A code signing configuration exists already: {command.resource.arn()}")
    check_tags(command.tags)
    yield CodeSigningConfigCreated(at_ms=command.at_ms, config={**DEFAULTS, **command.config}, tags=command.tags)


@code_signing.evolves(CodeSigningConfigCreated)
def created(state: CodeSigningState, event: CodeSigningConfigCreated) -> CodeSigningState:
    """It is there."""
    del state
    return CodeSigningState(event.config, event.at_ms, event.tags)


@code_signing.decides(UpdateCodeSigningConfig)
def update(state: CodeSigningState, command: UpdateCodeSigningConfig) -> Iterable[Event]:
    """The members that are given; an update of nothing is one too."""
    _check_there(command.resource, state)
    yield CodeSigningConfigUpdated(at_ms=command.at_ms, changes=command.changes)


@code_signing.evolves(CodeSigningConfigUpdated)
def updated(state: CodeSigningState, event: CodeSigningConfigUpdated) -> CodeSigningState:
    """It has them."""
    return replace(state, config={**(state.config or {}), **event.changes}, modified_ms=event.at_ms)


@code_signing.decides(DeleteCodeSigningConfig)
def delete(state: CodeSigningState, command: DeleteCodeSigningConfig) -> Iterable[Event]:
    """The end of a configuration that no function has."""
    _check_there(command.resource, state)
    if command.used:
        raise conflict(f"The code signing configuration is used by functions: {command.resource.arn()}")
    yield CodeSigningConfigDeleted(at_ms=command.at_ms)


@code_signing.evolves(CodeSigningConfigDeleted)
def deleted(state: CodeSigningState, event: CodeSigningConfigDeleted) -> CodeSigningState:
    """It is gone."""
    del state, event
    return CodeSigningState()


def _check_there(name: ResourceName, state: CodeSigningState) -> None:
    if state.config is None:
        raise no_config(name.arn())


@function.decides(AttachCodeSigningConfig)
def attach(state: FunctionState, command: AttachCodeSigningConfig) -> Iterable[Event]:
    """The configuration is the function's, unless it is already."""
    latest = existing(command.resource, state)
    check_package_type(latest.config["PackageType"])
    if state.head is not None and state.head.code_signing_config_arn != command.arn:
        yield CodeSigningConfigAttached(at_ms=command.at_ms, arn=command.arn)


@function.evolves(CodeSigningConfigAttached)
def attached(state: FunctionState, event: CodeSigningConfigAttached) -> FunctionState:
    """The function has it."""
    assert state.head is not None
    return replace(state, head=replace(state.head, code_signing_config_arn=event.arn))


def _tags(state: CodeSigningState) -> Tags | None:
    return None if state.config is None else state.tags


def _with_tags(state: CodeSigningState, tags: Mapping[str, str]) -> CodeSigningState:
    return replace(state, tags=tags)


taggable(code_signing, _tags, _with_tags)
