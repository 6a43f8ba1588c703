"""Provisioned concurrency: put, get, list, delete."""

from typing import Any

from relambda.actors import codec
from relambda.actors.domain.configuration import Json
from relambda.actors.domain.names import LATEST, ResourceName
from relambda.actors.domain.provisioned import (
    DeleteProvisionedConcurrency,
    PutProvisionedConcurrency,
    check_qualifier,
)
from relambda.actors.domain.refusals import Refusal, not_found
from relambda.actors.domain.state import FunctionState
from relambda.api.call import Call, Output, operation
from relambda.api.capacity import share_of
from relambda.api.paging import page

_INTERNAL = frozenset({"Qualifier", "Version"})


def _qualified(call: Call) -> tuple[ResourceName, str]:
    function, qualifier = call.function()
    return function, qualifier or LATEST


def _shown(config: Json) -> dict[str, Any]:
    return {member: value for member, value in config.items() if member not in _INTERNAL}


@operation("PutProvisionedConcurrencyConfig")
def put_provisioned_concurrency_config(call: Call) -> Output:
    """Answers the request in progress."""
    function, qualifier = _qualified(call)
    with share_of(call.cloud, function) as share:
        command = PutProvisionedConcurrency(
            resource=function,
            at_ms=call.now_ms(),
            qualifier=qualifier,
            requested=call.given["ProvisionedConcurrentExecutions"],
            share=share,
        )
        state: FunctionState = call.cloud.ask(command)
    return _shown(state.provisioned[qualifier])


@operation("GetProvisionedConcurrencyConfig")
def get_provisioned_concurrency_config(call: Call) -> Output:
    """The request and how far it is."""
    function, qualifier = _qualified(call)
    views = call.cloud.views
    is_known = views.version(function, qualifier) is not None or views.alias(function, qualifier) is not None
    check_qualifier(function, qualifier, is_known=is_known)
    config = views.document("provisioned", function.row_key(qualifier))
    if config is None:
        raise Refusal(
            "ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function"
        )
    return _shown(config)


@operation("ListProvisionedConcurrencyConfigs")
def list_provisioned_concurrency_configs(call: Call) -> Output:
    """All requests of a function, by version or alias."""
    function, _ = call.function()
    if call.cloud.views.head(function) is None:
        raise not_found(f"Function not found: {function.arn()}")
    configs, marker = page(call.cloud.store, "provisioned", function.row_key(""), call.given, codec.document)
    items = [{"FunctionArn": function.arn(config["Qualifier"]), **_shown(config)} for config in configs]
    return {"ProvisionedConcurrencyConfigs": items, "NextMarker": marker}


@operation("DeleteProvisionedConcurrencyConfig")
def delete_provisioned_concurrency_config(call: Call) -> Output:
    """Answers the same whether there was one or not."""
    function, qualifier = _qualified(call)
    call.cloud.ask(DeleteProvisionedConcurrency(resource=function, at_ms=call.now_ms(), qualifier=qualifier))
    return None
