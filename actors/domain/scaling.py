"""Scaling of a managed-instances function: how many execution environments one of its published versions keeps."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Command, Event, event
from relambda.actors.domain.functions import with_version
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.qualifiers import dropped
from relambda.actors.domain.refusals import Refusal, conflict, invalid, not_found
from relambda.actors.domain.state import FunctionState, function
from relambda.actors.domain.version import ACTIVE, Status, Version

DEFAULT: Json = {"MinExecutionEnvironments": 3}
"""Three environments, one for each zone, and no upper bound (Developer Guide, "Scaling Lambda Managed Instances")."""

DEACTIVATED = Status("Deactivated")


@dataclass(frozen=True, slots=True, kw_only=True)
class PutScalingConfig(Command):
    """Set the scaling of a published version; None goes back to the default."""

    version: str
    config: Json | None


@event("ScalingConfigChanged")
@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingConfigChanged(Event):
    """A version scales like this from now on; None is the default."""

    version: str
    config: Json | None


def scalable(resource: ResourceName, version: Version | None, number: str) -> Version:
    """A version that scaling belongs to. Raises Refusal.

    The refusal of a function without a capacity provider is AWS's answer as users have published it.
    """
    if version is None:
        raise not_found(f"Function not found: {resource.arn(number)}")
    if "CapacityProviderConfig" not in version.config:
        raise Refusal(
            "AccessDeniedException",
            "The function provided by the arn does not contain a capacity provider configuration",
        )
    return version


@function.decides(PutScalingConfig)
def put_scaling_config(state: FunctionState, command: PutScalingConfig) -> Iterable[Event]:
    """The scaling, unless it is so already."""
    version = scalable(command.resource, state.versions.get(command.version), command.version)
    if version.unfinished:
        raise conflict(
            "The operation cannot be performed at this time. The function is currently in the following state: "
            f"{version.state.value}"
        )
    config = command.config or None
    if config is not None and _least(config) > config.get("MaxExecutionEnvironments", _least(config)):
        raise invalid("MinExecutionEnvironments must not be greater than MaxExecutionEnvironments.")
    if state.scaling.get(command.version) != config:
        yield ScalingConfigChanged(at_ms=command.at_ms, version=command.version, config=config)


def _least(config: Json) -> int:
    return int(config.get("MinExecutionEnvironments", 0))


@function.evolves(ScalingConfigChanged)
def scaling_config_changed(state: FunctionState, event: ScalingConfigChanged) -> FunctionState:
    """The scaling is in force: a version that may have no environment is deactivated, any other one active again."""
    scaling = dropped(state.scaling, event.version)
    if event.config is not None:
        scaling[event.version] = event.config
    version = state.versions[event.version]
    idle = event.config is not None and event.config.get("MaxExecutionEnvironments") == 0
    if version.state == (ACTIVE if idle else DEACTIVATED):
        version = replace(version, state=DEACTIVATED if idle else ACTIVE)
    changed = replace(state, scaling=scaling)
    return changed if version is state.versions[event.version] else with_version(changed, version)
