"""Provisioned concurrency: environments of a version that are initialised before they are needed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from relambda.actors.domain.concurrency_config import Share, provisioned_total
from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Command, Event, event
from relambda.actors.domain.names import LATEST, ResourceName
from relambda.actors.domain.qualifiers import dropped, is_version, known
from relambda.actors.domain.refusals import conflict, invalid, not_found
from relambda.actors.domain.state import FunctionState, function
from relambda.actors.domain.version import Version

IN_PROGRESS, READY, FAILED = "IN_PROGRESS", "READY", "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class PutProvisionedConcurrency(Command):
    """Ask for initialised environments for a published version or an alias."""

    qualifier: str
    requested: int
    share: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteProvisionedConcurrency(Command):
    """Let the initialised environments of a version or an alias go."""

    qualifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishProvisioning(Command):
    """The environments that were asked for are there; `failure` says in AWS's words why, when they are not.

    `version` and `requested` say what they were started for: what has changed since is not finished by it.
    """

    qualifier: str
    version: str
    requested: int
    failure: str = ""


@event("ProvisionedConcurrencyRequested")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedConcurrencyRequested(Event):
    """So many environments of a version are wanted, for the version itself or for an alias of it."""

    qualifier: str
    version: str
    requested: int


@event("ProvisionedConcurrencyFinished")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedConcurrencyFinished(Event):
    """The environments are there, or will not be."""

    qualifier: str
    failure: str


@event("ProvisionedConcurrencyDeleted")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedConcurrencyDeleted(Event):
    """No environments are wanted any more."""

    qualifier: str


def check_qualifier(resource: ResourceName, qualifier: str, *, is_known: bool) -> None:
    """Refuse what is no published version or alias, in the words of Get and Delete. Raises Refusal."""
    if qualifier == LATEST:
        raise invalid("The function resource provided must be an alias or a published version.")
    if not is_known:
        arn = resource.arn(qualifier)
        raise not_found(f"Function not found: {arn}" if is_version(qualifier) else f"Cannot find alias arn: {arn}")


@function.decides(PutProvisionedConcurrency)
def put_provisioned(state: FunctionState, command: PutProvisionedConcurrency) -> Iterable[Event]:
    """A request that fits the function's reservation, or else the account; asked for again, it starts over."""
    number = _target(state, command)
    _check_overlap(state, command.qualifier, number)
    _check_kind(state.versions[number])
    _check_amount(state, command)
    yield ProvisionedConcurrencyRequested(
        at_ms=command.at_ms, qualifier=command.qualifier, version=number, requested=command.requested
    )


def _target(state: FunctionState, command: PutProvisionedConcurrency) -> str:
    """The published version that is meant. The text about weights is as users of AWS have published it."""
    unpublished = invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
    if command.qualifier == LATEST:
        raise unpublished
    check_qualifier(command.resource, command.qualifier, is_known=known(state, command.qualifier))
    alias = state.aliases.get(command.qualifier)
    if alias is None:
        return command.qualifier
    if alias.get("RoutingConfig", {}).get("AdditionalVersionWeights"):
        raise invalid("Alias with weights can not be used with Provisioned Concurrency")
    if alias["FunctionVersion"] == LATEST:
        raise unpublished
    return str(alias["FunctionVersion"])


def _check_overlap(state: FunctionState, qualifier: str, number: str) -> None:
    """A version is provisioned once: by itself, or by one alias."""
    others = dropped(state.provisioned, qualifier)
    if all(config["Version"] != number for config in others.values()):
        return
    if qualifier in state.aliases:
        raise conflict(
            "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
        )
    raise conflict("Version is pointed by a Provisioned Concurrency alias")


def _check_kind(version: Version) -> None:
    """What cannot have it (Developer Guide: "SnapStart", "Tenant isolation", "Lambda Managed Instances")."""
    config = version.config
    reasons = {
        "SnapStart": config["SnapStart"]["ApplyOn"] != "None",
        "tenant isolation": "TenancyConfig" in config,
        "a capacity provider": "CapacityProviderConfig" in config,
    }
    for reason, holds in reasons.items():
        if holds:
            raise invalid(f"Provisioned Concurrency is not supported for functions with {reason}.")


def _check_amount(state: FunctionState, command: PutProvisionedConcurrency) -> None:
    asked, others = command.requested, provisioned_total(dropped(state.provisioned, command.qualifier))
    reserved = state.head.reserved_concurrency if state.head else None
    if reserved is not None:
        if others + asked > reserved:
            raise invalid(
                "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution "
                "for function"
            )
        return
    available, minimum = command.share.available - others, command.share.minimum_unreserved
    if asked > available:
        raise invalid(
            "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency "
            f"[{available}].",
            typed=False,
        )
    if available - asked < minimum:
        raise invalid(
            "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
            f"minimum value of [{minimum}].",
            typed=False,
        )


@function.evolves(ProvisionedConcurrencyRequested)
def provisioned_requested(state: FunctionState, event: ProvisionedConcurrencyRequested) -> FunctionState:
    """The request is in progress; environments that the same version has already stay."""
    former = state.provisioned.get(event.qualifier, {})
    same = former.get("Version") == event.version
    kept = min(former["AllocatedProvisionedConcurrentExecutions"], event.requested) if same else 0
    config = {
        "Qualifier": event.qualifier,
        "Version": event.version,
        "RequestedProvisionedConcurrentExecutions": event.requested,
        **_allocated(kept),
        "Status": IN_PROGRESS,
        "LastModified": _moment(event.at_ms),
    }
    return _with(state, event.qualifier, config)


@function.decides(FinishProvisioning)
def finish_provisioning(state: FunctionState, command: FinishProvisioning) -> Iterable[Event]:
    """The end of what is in progress, unless something else is by now."""
    config = state.provisioned.get(command.qualifier)
    asked = (command.version, command.requested, IN_PROGRESS)
    if config is not None and (*wanted(config), config["Status"]) == asked:
        yield ProvisionedConcurrencyFinished(at_ms=command.at_ms, qualifier=command.qualifier, failure=command.failure)


@function.evolves(ProvisionedConcurrencyFinished)
def provisioned_finished(state: FunctionState, event: ProvisionedConcurrencyFinished) -> FunctionState:
    """Ready with all that was asked for, or failed with none of it."""
    config = {**state.provisioned[event.qualifier]}
    if event.failure:
        config.update(_allocated(0), Status=FAILED, StatusReason=event.failure)
    else:
        config.update(_allocated(config["RequestedProvisionedConcurrentExecutions"]), Status=READY)
    return _with(state, event.qualifier, config)


@function.decides(DeleteProvisionedConcurrency)
def delete_provisioned(state: FunctionState, command: DeleteProvisionedConcurrency) -> Iterable[Event]:
    """The end of the request; one that is not there is no error (TRAPS.md row 17)."""
    check_qualifier(command.resource, command.qualifier, is_known=known(state, command.qualifier))
    if command.qualifier in state.provisioned:
        yield ProvisionedConcurrencyDeleted(at_ms=command.at_ms, qualifier=command.qualifier)


@function.evolves(ProvisionedConcurrencyDeleted)
def provisioned_deleted(state: FunctionState, event: ProvisionedConcurrencyDeleted) -> FunctionState:
    """The request is gone."""
    return replace(state, provisioned=dropped(state.provisioned, event.qualifier))


def following_alias(state: FunctionState, alias: str) -> FunctionState:
    """The state after an alias was pointed elsewhere: its provisioned concurrency moves with it, from nothing.

    For whoever folds the change of an alias.
    """
    config = state.provisioned.get(alias)
    if config is None or config["Version"] == state.aliases[alias]["FunctionVersion"]:
        return state
    moved = {member: value for member, value in config.items() if member != "StatusReason"}
    moved.update(_allocated(0), Version=state.aliases[alias]["FunctionVersion"], Status=IN_PROGRESS)
    return _with(state, alias, moved)


def in_progress(state: FunctionState) -> Mapping[str, Json]:
    """The requests whose environments are still to come, by qualifier."""
    return {qualifier: config for qualifier, config in state.provisioned.items() if config["Status"] == IN_PROGRESS}


def wanted(config: Json) -> tuple[str, int]:
    """The version and the number of environments that a request is for."""
    return config["Version"], config["RequestedProvisionedConcurrentExecutions"]


def _with(state: FunctionState, qualifier: str, config: Mapping[str, Any]) -> FunctionState:
    return replace(state, provisioned={**state.provisioned, qualifier: config})


def _allocated(count: int) -> dict[str, int]:
    return {
        "AvailableProvisionedConcurrentExecutions": count,
        "AllocatedProvisionedConcurrentExecutions": count,
    }


def _moment(at_ms: int) -> str:
    """Whole seconds, as the examples of the API reference and published answers have it."""
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}+0000"
