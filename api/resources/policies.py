"""Resource policies: add and remove a permission, read a policy, and replace, read or delete it as a whole."""

from typing import Any

import msgspec

from relambda.actors.domain.names import LATEST, ResourceName, function_name
from relambda.actors.domain.policies import (
    AddPermission,
    DeleteResourcePolicy,
    PutResourcePolicy,
    RemovePermission,
    no_policy,
    written,
)
from relambda.actors.domain.refusals import invalid
from relambda.actors.domain.state import FunctionState
from relambda.api.call import Call, Output, operation
from relambda.api.wire.names import resolve_function

_ABOUT = frozenset({"FunctionName", "Qualifier", "RevisionId"})


@operation("AddPermission")
def add_permission(call: Call) -> Output:
    """Answers the statement that was added."""
    function, qualifier = call.function()
    command = AddPermission(
        resource=function,
        at_ms=call.now_ms(),
        qualifier=qualifier,
        request={member: value for member, value in call.given.items() if member not in _ABOUT},
        revision_id=call.cloud.new_id(),
        expected_revision_id=call.given.get("RevisionId"),
    )
    state: FunctionState = call.cloud.ask(command)
    return {"Statement": written(state.policies[qualifier or LATEST]["Policy"]["Statement"][-1])}


@operation("RemovePermission")
def remove_permission(call: Call) -> Output:
    """Answers nothing."""
    function, qualifier = call.function()
    command = RemovePermission(
        resource=function,
        at_ms=call.now_ms(),
        qualifier=qualifier,
        statement_id=call.given["StatementId"],
        revision_id=call.cloud.new_id(),
        expected_revision_id=call.given.get("RevisionId"),
    )
    call.cloud.ask(command)
    return None


@operation("GetPolicy")
def get_policy(call: Call) -> Output:
    """The policy as a text, and its revision."""
    return _read(call, *call.function())


@operation("GetResourcePolicy")
def get_resource_policy(call: Call) -> Output:
    """The policy of the resource with this ARN, as a text, and its revision."""
    return _read(call, *_resource(call))


def _read(call: Call, function: ResourceName, qualifier: str | None) -> dict[str, Any]:
    policy = call.cloud.views.document("policies", function.row_key(qualifier or LATEST))
    if policy is None or qualifier == LATEST:
        raise no_policy()
    return {"Policy": written(policy["Policy"]), "RevisionId": policy["RevisionId"]}


@operation("PutResourcePolicy")
def put_resource_policy(call: Call) -> Output:
    """Answers the policy that is in force now."""
    function, qualifier = _resource(call)
    try:
        document = msgspec.json.decode(call.given["Policy"])
    except (ValueError, RecursionError) as problem:
        raise invalid(f"The policy is not valid JSON: {problem}") from None
    command = PutResourcePolicy(
        resource=function,
        at_ms=call.now_ms(),
        qualifier=qualifier,
        document=document,
        revision_id=call.cloud.new_id(),
        expected_revision_id=call.given.get("RevisionId"),
    )
    state: FunctionState = call.cloud.ask(command)
    policy = state.policies[qualifier or LATEST]
    return {"Policy": written(policy["Policy"]), "RevisionId": policy["RevisionId"]}


@operation("DeleteResourcePolicy")
def delete_resource_policy(call: Call) -> Output:
    """Answers nothing."""
    function, qualifier = _resource(call)
    command = DeleteResourcePolicy(
        resource=function,
        at_ms=call.now_ms(),
        qualifier=qualifier,
        expected_revision_id=call.given.get("RevisionId"),
    )
    call.cloud.ask(command)
    return None


def _resource(call: Call) -> tuple[ResourceName, str | None]:
    """The function and qualifier of `ResourceArn`. The other kind it may name, a runtime of one's own, is not kept."""
    arn: str = call.given["ResourceArn"]
    if ":function:" not in arn:
        raise no_policy()
    found = resolve_function(arn, call.caller)
    return function_name(call.scope, found.name), found.qualifier
