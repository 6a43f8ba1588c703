"""Runtime management: when Lambda puts a version of a function on a newer version of its runtime."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Command, Event, event
from relambda.actors.domain.refusals import conflict, invalid, not_found
from relambda.actors.domain.state import FunctionState, function

AUTOMATIC: Json = {"UpdateRuntimeOn": "Auto"}
"""What a version has until it is told otherwise (API reference, PutRuntimeManagementConfig)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutRuntimeManagement(Command):
    """Set the runtime update mode of $LATEST or of a published version, `version`."""

    version: str
    update_runtime_on: str
    runtime_version_arn: str | None = None


@event("RuntimeManagementChanged")
@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeManagementChanged(Event):
    """A version has this runtime update mode from now on."""

    version: str
    config: Json


@function.decides(PutRuntimeManagement)
def put_runtime_management(state: FunctionState, command: PutRuntimeManagement) -> Iterable[Event]:
    """The mode; the ARN belongs to Manual, and other modes have none (API reference, GetRuntimeManagementConfig)."""
    version = state.versions.get(command.version)
    if version is None:
        raise not_found(f"Function not found: {command.resource.arn(command.version)}")
    if version.unfinished:
        raise conflict(
            "The operation cannot be performed at this time. "
            f"An update is in progress for resource: {command.resource.arn()}"
        )
    config = {"UpdateRuntimeOn": command.update_runtime_on}
    if command.update_runtime_on == "Manual":
        if command.runtime_version_arn is None:
            raise invalid("RuntimeVersionArn is required when UpdateRuntimeOn is Manual.")
        config["RuntimeVersionArn"] = command.runtime_version_arn
    if state.runtime_management.get(command.version, AUTOMATIC) != config:
        yield RuntimeManagementChanged(at_ms=command.at_ms, version=command.version, config=config)


@function.evolves(RuntimeManagementChanged)
def runtime_management_changed(state: FunctionState, event: RuntimeManagementChanged) -> FunctionState:
    """The mode is in force."""
    return replace(state, runtime_management={**state.runtime_management, event.version: event.config})
