"""What a function refers to, the other way round: rows that tell of a resource which functions have it.

Keys are account/region/resource/function, so that the users of one resource are read without a look at others.
"""

from collections.abc import Iterable, Mapping

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import ViewRow
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.version import Version

SIGNED_FUNCTIONS = "code_signing_functions"
PROVIDED_VERSIONS = "capacity_provider_versions"


def provider_arn(config: Json) -> str | None:
    """The capacity provider that a configuration names, None when it names none."""
    managed = config.get("CapacityProviderConfig")
    arn: str | None = managed and managed["LambdaManagedInstancesCapacityProviderConfig"]["CapacityProviderArn"]
    return arn


def signing_rows(function: ResourceName, old: str, new: str) -> Iterable[ViewRow]:
    """The rows that change when a function has another code-signing configuration; ARNs, "" for none."""
    if old == new:
        return
    for arn, value in ((old, None), (new, {"FunctionArn": function.arn()})):
        if arn:
            yield ViewRow(SIGNED_FUNCTIONS, _key(function, arn, function.name), value)


def provider_rows(function: ResourceName, old: Mapping[str, Version], new: Mapping[str, Version]) -> Iterable[ViewRow]:
    """The rows that change when versions of a function have other capacity providers, or other states."""
    were, are = _provided(function, old), _provided(function, new)
    for key in were.keys() | are.keys():
        if were.get(key) != are.get(key):
            yield ViewRow(PROVIDED_VERSIONS, key, are.get(key))


def _provided(function: ResourceName, versions: Mapping[str, Version]) -> dict[str, Json]:
    provided: dict[str, Json] = {}
    for number, version in versions.items():
        arn = provider_arn(version.config)
        if arn is not None:
            place = number if number.startswith("$") else number.zfill(10)
            shown = {"FunctionArn": function.arn(number), "State": version.state.value}
            provided[_key(function, arn, f"{function.name}/{place}")] = shown
    return provided


def _key(function: ResourceName, arn: str, user: str) -> str:
    return f"{function.scope.prefix}{arn.rpartition(':')[2]}/{user}"
