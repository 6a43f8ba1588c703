"""Configurations of asynchronous invocation: put, update, get, list, delete."""

from typing import Any

from relambda.actors import codec
from relambda.actors.domain.configuration import Json
from relambda.actors.domain.event_invoke_config import (
    SETTINGS,
    DeleteEventInvokeConfig,
    PutEventInvokeConfig,
    UpdateEventInvokeConfig,
    destinations_of,
    no_config,
)
from relambda.actors.domain.names import LATEST, ResourceName, Scope, function_name
from relambda.actors.domain.refusals import not_found
from relambda.actors.domain.state import FunctionState
from relambda.api.call import Call, Output, operation
from relambda.api.paging import page
from relambda.api.wire.names import split_function_name


def _qualified(call: Call) -> tuple[ResourceName, str]:
    function, qualifier = call.function()
    return function, qualifier or LATEST


def _shown(function: ResourceName, config: Json) -> dict[str, Any]:
    shown = {member: value for member, value in config.items() if member != "Qualifier"}
    return {"FunctionArn": function.arn(config["Qualifier"]), **shown}


def _settings(call: Call) -> dict[str, Any]:
    return {member: call.given[member] for member in SETTINGS if call.given.get(member) is not None}


def _missing(call: Call, settings: Json) -> frozenset[str]:
    """The destinations that are functions which do not exist, or that lie in another region."""
    functions = (arn for arn in destinations_of(settings).values() if arn.split(":")[2:3] == ["lambda"])
    return frozenset(arn for arn in functions if not _exists(call, arn))


def _exists(call: Call, arn: str) -> bool:
    parts = split_function_name(arn)
    if parts is None or parts.region != call.scope.region or parts.account is None:
        return False
    function = function_name(Scope(parts.account, parts.region), parts.name)
    qualifier, views = parts.qualifier or LATEST, call.cloud.views
    return views.version(function, qualifier) is not None or views.alias(function, qualifier) is not None


@operation("PutFunctionEventInvokeConfig")
def put_function_event_invoke_config(call: Call) -> Output:
    """The whole configuration: what is not given is unset."""
    function, qualifier = _qualified(call)
    settings = _settings(call)
    command = PutEventInvokeConfig(
        resource=function,
        at_ms=call.now_ms(),
        qualifier=qualifier,
        settings=settings,
        missing=_missing(call, settings),
    )
    state: FunctionState = call.cloud.ask(command)
    return _shown(function, state.invoke_configs[qualifier])


@operation("UpdateFunctionEventInvokeConfig")
def update_function_event_invoke_config(call: Call) -> Output:
    """Members that are given; the others stay."""
    function, qualifier = _qualified(call)
    settings = _settings(call)
    command = UpdateEventInvokeConfig(
        resource=function,
        at_ms=call.now_ms(),
        qualifier=qualifier,
        settings=settings,
        missing=_missing(call, settings),
    )
    state: FunctionState = call.cloud.ask(command)
    return _shown(function, state.invoke_configs[qualifier])


@operation("GetFunctionEventInvokeConfig")
def get_function_event_invoke_config(call: Call) -> Output:
    """The configuration of a version or alias."""
    function, qualifier = _qualified(call)
    config = call.cloud.views.document("invoke_configs", function.row_key(qualifier))
    if config is None:
        raise no_config(function, qualifier)
    return _shown(function, config)


@operation("ListFunctionEventInvokeConfigs")
def list_function_event_invoke_configs(call: Call) -> Output:
    """All configurations of a function, by version or alias."""
    function, _ = call.function()
    if call.cloud.views.head(function) is None:
        raise not_found("The function doesn't exist.")
    configs, marker = page(call.cloud.store, "invoke_configs", function.row_key(""), call.given, codec.document)
    items = [_shown(function, config) for config in configs]
    return {"FunctionEventInvokeConfigs": items, "NextMarker": marker}


@operation("DeleteFunctionEventInvokeConfig")
def delete_function_event_invoke_config(call: Call) -> Output:
    """The configuration must be there."""
    function, qualifier = _qualified(call)
    call.cloud.ask(DeleteEventInvokeConfig(resource=function, at_ms=call.now_ms(), qualifier=qualifier))
    return None
