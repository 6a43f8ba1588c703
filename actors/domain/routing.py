"""Which version a qualifier means, and whether it may be invoked."""

from relambda.actors.domain.names import LATEST, ResourceName
from relambda.actors.domain.refusals import conflict, not_found
from relambda.actors.domain.state import FunctionState
from relambda.actors.domain.version import Version


def resolve(resource: ResourceName, state: FunctionState, qualifier: str | None, chance: float) -> str:
    """The version number behind a qualifier; `chance` in [0, 1) picks among a weighted alias's. Raises Refusal."""
    qualifier = qualifier or LATEST
    if qualifier in state.versions:
        return qualifier
    alias = state.aliases.get(qualifier)
    if alias is None:
        raise not_found(f"Function not found: {resource.arn(qualifier)}")
    for version, weight in alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}).items():
        if chance < weight:
            return str(version)
        chance -= weight
    return str(alias["FunctionVersion"])


def invocable(resource: ResourceName, state: FunctionState, number: str) -> Version:
    """The version as invokes get it: while an update is in progress, as it was before. Raises Refusal."""
    version = state.versions.get(number)
    if version is None:
        raise not_found(f"Function not found: {resource.arn(number)}")
    if version.serving is not None:
        return version.serving
    if version.state.value != "Active":
        raise conflict(
            "The operation cannot be performed at this time. "
            f"The function is currently in the following state: {version.state.value}"
        )
    return version
