"""Aliases: create, get, list, update, delete."""

from typing import Any

from relambda.actors import codec
from relambda.actors.domain.aliases import CreateAlias, DeleteAlias, UpdateAlias, Weights, invokes
from relambda.actors.domain.configuration import Json
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import not_found
from relambda.actors.domain.state import FunctionState
from relambda.api.call import Call, Output, operation
from relambda.api.paging import page


def _shown(function: ResourceName, alias: Json) -> dict[str, Any]:
    return {"AliasArn": function.arn(alias["Name"]), **alias}


def _weights(given: Json) -> Weights | None:
    """None when the request does not speak of routing; {} when it ends it."""
    routing = given.get("RoutingConfig")
    return None if routing is None else routing.get("AdditionalVersionWeights") or {}


@operation("CreateAlias")
def create_alias(call: Call) -> Output:
    """Answers the alias."""
    function, given = call.function()[0], call.given
    command = CreateAlias(
        resource=function,
        at_ms=call.now_ms(),
        name=given["Name"],
        version=given["FunctionVersion"],
        description=given.get("Description") or "",
        weights=_weights(given) or {},
        revision_id=call.cloud.new_id(),
    )
    state: FunctionState = call.cloud.ask(command)
    return _shown(function, state.aliases[command.name])


@operation("GetAlias")
def get_alias(call: Call) -> Output:
    """An alias by its name."""
    function, name = call.function()[0], call.given["Name"]
    alias = call.cloud.views.alias(function, name)
    if alias is None:
        raise not_found(f"Cannot find alias arn: {function.arn(name)}")
    return _shown(function, alias)


@operation("ListAliases")
def list_aliases(call: Call) -> Output:
    """By name; with FunctionVersion those that invoke that version, be it for a share."""
    function, wanted = call.function()[0], call.given.get("FunctionVersion")
    if call.cloud.views.head(function) is None:
        raise not_found(f"Function not found: {function.arn()}")

    def decode(row: bytes) -> dict[str, Any] | None:
        alias = codec.document(row)
        return _shown(function, alias) if wanted is None or invokes(alias, wanted) else None

    items, marker = page(call.cloud.store, "aliases", function.row_key(""), call.given, decode)
    return {"Aliases": items, "NextMarker": marker}


@operation("UpdateAlias")
def update_alias(call: Call) -> Output:
    """Answers the alias as it is now."""
    function, given = call.function()[0], call.given
    command = UpdateAlias(
        resource=function,
        at_ms=call.now_ms(),
        name=given["Name"],
        version=given.get("FunctionVersion"),
        description=given.get("Description"),
        weights=_weights(given),
        expected_revision_id=given.get("RevisionId"),
        revision_id=call.cloud.new_id(),
    )
    state: FunctionState = call.cloud.ask(command)
    return _shown(function, state.aliases[command.name])


@operation("DeleteAlias")
def delete_alias(call: Call) -> Output:
    """Answers the same whether there was one or not."""
    function, _ = call.function()
    call.cloud.ask(DeleteAlias(resource=function, at_ms=call.now_ms(), name=call.given["Name"]))
    return None
