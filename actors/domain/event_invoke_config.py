"""Asynchronous invocation: retries, the age of events, and where records of invocations go."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Command, Event, event
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.qualifiers import dropped, known
from relambda.actors.domain.refusals import Refusal, invalid, not_found
from relambda.actors.domain.state import FunctionState, function

SETTINGS = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
SIDES = ("OnSuccess", "OnFailure")
_TAKERS = {"lambda": SIDES, "sqs": SIDES, "sns": SIDES, "events": SIDES, "s3": ("OnFailure",)}
"""Services that take records, and of what; S3 takes failures only (API reference, PutFunctionEventInvokeConfig)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutEventInvokeConfig(Command):
    """Set the configuration of a version or alias; what `settings` leaves out is unset.

    `missing` are destinations that are functions nobody has.
    """

    qualifier: str
    settings: Json
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateEventInvokeConfig(Command):
    """Change what `settings` gives of a configuration that is there, and leave the rest."""

    qualifier: str
    settings: Json
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteEventInvokeConfig(Command):
    """Go back to Lambda's own way with failures."""

    qualifier: str


@event("EventInvokeConfigChanged")
@dataclass(frozen=True, slots=True, kw_only=True)
class EventInvokeConfigChanged(Event):
    """A version or alias has this configuration from now on."""

    qualifier: str
    settings: Json


@event("EventInvokeConfigDeleted")
@dataclass(frozen=True, slots=True, kw_only=True)
class EventInvokeConfigDeleted(Event):
    """A version or alias has no configuration any more."""

    qualifier: str


def no_config(resource: ResourceName, qualifier: str) -> Refusal:
    """There is no configuration, and maybe no function either: AWS says the same of both."""
    return not_found(f"The function {resource.arn(qualifier)} doesn't have an EventInvokeConfig")


@function.decides(PutEventInvokeConfig)
def put_config(state: FunctionState, command: PutEventInvokeConfig) -> Iterable[Event]:
    """The configuration that is given."""
    if not known(state, command.qualifier):
        raise not_found("The function doesn't exist.")
    _check(command.resource, command.settings, command.missing)
    settings = {**command.settings, "DestinationConfig": _destinations(command.settings)}
    yield EventInvokeConfigChanged(at_ms=command.at_ms, qualifier=command.qualifier, settings=settings)


@function.decides(UpdateEventInvokeConfig)
def update_config(state: FunctionState, command: UpdateEventInvokeConfig) -> Iterable[Event]:
    """The configuration that is there with what is given in the place of what it had."""
    former = state.invoke_configs.get(command.qualifier)
    if former is None:
        raise no_config(command.resource, command.qualifier)
    _check(command.resource, command.settings, command.missing)
    kept = {member: former[member] for member in SETTINGS if member in former}
    destinations = {**kept["DestinationConfig"], **command.settings.get("DestinationConfig", {})}
    settings = {**kept, **command.settings, "DestinationConfig": _destinations({"DestinationConfig": destinations})}
    yield EventInvokeConfigChanged(at_ms=command.at_ms, qualifier=command.qualifier, settings=settings)


@function.evolves(EventInvokeConfigChanged)
def config_changed(state: FunctionState, event: EventInvokeConfigChanged) -> FunctionState:
    """The configuration is in force."""
    config = {"Qualifier": event.qualifier, "LastModified": event.at_ms / 1000, **event.settings}
    return replace(state, invoke_configs={**state.invoke_configs, event.qualifier: config})


@function.decides(DeleteEventInvokeConfig)
def delete_config(state: FunctionState, command: DeleteEventInvokeConfig) -> Iterable[Event]:
    """The end of a configuration, which must be there."""
    if command.qualifier not in state.invoke_configs:
        raise no_config(command.resource, command.qualifier)
    yield EventInvokeConfigDeleted(at_ms=command.at_ms, qualifier=command.qualifier)


@function.evolves(EventInvokeConfigDeleted)
def config_deleted(state: FunctionState, event: EventInvokeConfigDeleted) -> FunctionState:
    """The configuration is gone."""
    return replace(state, invoke_configs=dropped(state.invoke_configs, event.qualifier))


def destinations_of(settings: Json) -> dict[str, str]:
    """The ARNs that settings give, by side; an empty text stands for none."""
    given = settings.get("DestinationConfig") or {}
    found = {side: (given.get(side) or {}).get("Destination") for side in SIDES}
    return {side: arn for side, arn in found.items() if arn}


def _destinations(settings: Json) -> dict[str, dict[str, str]]:
    """Both sides are always told, empty ones too (TRAPS.md row 18)."""
    found = destinations_of(settings)
    return {side: {"Destination": found[side]} if side in found else {} for side in SIDES}


def _check(resource: ResourceName, settings: Json, missing: frozenset[str]) -> None:
    if not any(member in settings for member in SETTINGS):
        raise invalid("You must specify at least one of error handling or destination setting.")
    for side, arn in destinations_of(settings).items():
        service, _, _, name = _parts(arn)
        if side not in _TAKERS.get(service, ()) or _ordered(service, name):
            raise invalid(f"The provided destination config {_as_java(settings['DestinationConfig'])} is invalid.")
        if service == "lambda" and _unqualified(arn) == resource.arn():
            raise invalid("You can't specify the function as a destination for itself.")
        if arn in missing:
            raise invalid(f"The destination ARN {arn} is invalid.")


def _parts(arn: str) -> tuple[str, str, str, str]:
    """Service, region, account and name in an ARN; all empty when it is none."""
    parts = arn.split(":", 5)
    return (parts[2], parts[3], parts[4], parts[5]) if len(parts) == 6 else ("", "", "", "")


def _ordered(service: str, name: str) -> bool:
    """FIFO queues and topics take no records (API reference: "a standard SQS queue", "a standard SNS topic")."""
    return service in {"sqs", "sns"} and name.endswith(".fifo")


def _unqualified(arn: str) -> str:
    return ":".join(arn.split(":")[:7])


def _as_java(config: Mapping[str, Any]) -> str:
    """A destination configuration as AWS's messages print it."""

    def shown(side: str) -> str:
        given = config.get(side)
        return "null" if given is None else f"{side}(destination={given.get('Destination', 'null')})"

    return f"DestinationConfig(onSuccess={shown('OnSuccess')}, onFailure={shown('OnFailure')})"
