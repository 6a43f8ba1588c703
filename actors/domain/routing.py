"""Which version a qualifier means, and whether it may be invoked."""

from collections.abc import Mapping
from typing import Any

from relambda.actors.domain.names import LATEST, ResourceName
from relambda.actors.domain.refusals import Refusal, conflict, invalid, not_found
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


class DurableFunctionError(Refusal):
    """Raised when a version runs as durable executions only; `version` is the one."""

    def __init__(self, version: str) -> None:
        super().__init__("InvalidParameterValueException", "The function is durable: it runs as durable executions.")
        self.version = version


def invocable(resource: ResourceName, state: FunctionState, number: str) -> Version:
    """The version as invokes get it: while an update is in progress, as it was before. Raises Refusal."""
    version = state.versions.get(number)
    if version is None:
        raise not_found(f"Function not found: {resource.arn(number)}")
    return serving(version)


def serving(version: Version) -> Version:
    """What of a version runs now. Raises Refusal: ResourceConflictException (FACTS.md section 2).

    SnapStartNotReadyException, in the model's words, while a snapshot is taken.
    """
    if version.serving is not None:
        return version.serving
    if version.state.value == "Pending" and version.snap_started:
        raise Refusal(
            "SnapStartNotReadyException",
            "Lambda is initializing your function. You can invoke the function when the function state becomes Active.",
        )
    if version.state.value != "Active":
        raise conflict(
            "The operation cannot be performed at this time. "
            f"The function is currently in the following state: {version.state.value}"
        )
    return version


def check_admission(version: Version, qualifier: str | None, tenant_id: str) -> None:
    """Refuse an invocation that is not of the function's kind. Raises Refusal, DurableFunctionError.

    Tenants: FACTS.md section 7, "Tenancy"; the words are those of the Developer Guide ("Troubleshooting tenant
    isolation"). Durable functions are invoked by version or alias.
    """
    config: Mapping[str, Any] = version.config
    if "TenancyConfig" in config:
        if not tenant_id:
            raise invalid("Tenant ID configuration not specified: tenant isolation is enabled for the function.")
    elif tenant_id:
        raise invalid("Tenant ID configuration passed to a function when tenant isolation is not enabled.")
    if "DurableConfig" in config:
        if qualifier is None:
            raise invalid("You cannot invoke a durable function using an unqualified ARN.")
        raise DurableFunctionError(version.version)
