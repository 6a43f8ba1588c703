"""Code-signing configurations: create, get, list, update, delete; and which one a function has."""

from typing import Any

from relambda.actors import codec
from relambda.actors.domain.code_signing import (
    MEMBERS,
    AttachCodeSigningConfig,
    CodeSigningState,
    CreateCodeSigningConfig,
    DeleteCodeSigningConfig,
    UpdateCodeSigningConfig,
    check_package_type,
    code_signing,
    describe,
    no_config,
)
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.references import SIGNED_FUNCTIONS
from relambda.api.call import Call, Output, operation
from relambda.api.paging import page
from relambda.api.references import in_a_row, is_used, named, referring
from relambda.api.resources.tags import taggable

MOST_LISTED = 10_000
"""API reference, "ListCodeSigningConfigs": up to 10,000 a call."""

taggable(code_signing.kind, lambda views, name: views.document("tags", name.stream))


def _named(call: Call) -> ResourceName:
    """The configuration that the request names by its ARN. Raises Refusal."""
    arn: str = call.given["CodeSigningConfigArn"]
    name = named(call, code_signing.kind, arn)
    if name is None:
        raise no_config(arn)
    return name


def _members(given: dict[str, Any]) -> dict[str, Any]:
    return {member: given[member] for member in MEMBERS if given.get(member) is not None}


@operation("CreateCodeSigningConfig")
def create_code_signing_config(call: Call) -> Output:
    """Answers the configuration under its new id."""
    fresh = "csc-0" + call.cloud.new_id().replace("-", "")[:16]
    name = ResourceName(code_signing.kind, call.scope.account, call.scope.region, fresh)
    command = CreateCodeSigningConfig(
        resource=name, at_ms=call.now_ms(), config=_members(call.given), tags=call.given.get("Tags") or {}
    )
    state: CodeSigningState = call.cloud.ask(command)
    return {"CodeSigningConfig": describe(name, state)}


@operation("GetCodeSigningConfig")
def get_code_signing_config(call: Call) -> Output:
    """One configuration."""
    return {"CodeSigningConfig": _existing(call, _named(call))}


def _existing(call: Call, name: ResourceName) -> dict[str, Any]:
    shown = call.cloud.views.document("code_signing_configs", name.key)
    if shown is None:
        raise no_config(name.arn())
    return dict(shown)


@operation("ListCodeSigningConfigs")
def list_code_signing_configs(call: Call) -> Output:
    """All configurations by id."""
    table, prefix = "code_signing_configs", call.scope.prefix
    items, marker = page(call.cloud.store, table, prefix, call.given, codec.document, MOST_LISTED)
    return {"CodeSigningConfigs": items, "NextMarker": marker}


@operation("UpdateCodeSigningConfig")
def update_code_signing_config(call: Call) -> Output:
    """Members that are not given stay."""
    name = _named(call)
    command = UpdateCodeSigningConfig(resource=name, at_ms=call.now_ms(), changes=_members(call.given))
    state: CodeSigningState = call.cloud.ask(command)
    return {"CodeSigningConfig": describe(name, state)}


@operation("DeleteCodeSigningConfig")
def delete_code_signing_config(call: Call) -> Output:
    """Only what no function has can be deleted."""
    name = _named(call)
    with in_a_row():
        command = DeleteCodeSigningConfig(resource=name, at_ms=call.now_ms(), used=is_used(call, name))
        call.cloud.ask(command)
    return {}


@operation("ListFunctionsByCodeSigningConfig")
def list_functions_by_code_signing_config(call: Call) -> Output:
    """Unqualified ARNs by function name."""
    name = _named(call)
    _existing(call, name)
    prefix = name.row_key("")
    items, marker = page(call.cloud.store, SIGNED_FUNCTIONS, prefix, call.given, codec.document, MOST_LISTED)
    return {"FunctionArns": [item["FunctionArn"] for item in items], "NextMarker": marker}


@operation("PutFunctionCodeSigningConfig")
def put_function_code_signing_config(call: Call) -> Output:
    """It counts from the next deployment on."""
    function, _ = call.function()
    call.cloud.views.qualified(function, None)
    arn = call.given["CodeSigningConfigArn"]
    with referring(call, {"CodeSigningConfigArn": arn}):
        call.cloud.ask(AttachCodeSigningConfig(resource=function, at_ms=call.now_ms(), arn=arn))
    return {"CodeSigningConfigArn": arn, "FunctionName": function.name}


@operation("GetFunctionCodeSigningConfig")
def get_function_code_signing_config(call: Call) -> Output:
    """Answers {} for a function that has none."""
    function, _ = call.function()
    version, head = call.cloud.views.qualified(function, None), call.cloud.views.head(function)
    check_package_type(version.config["PackageType"])
    if head is None or not head.code_signing_config_arn:
        return {}
    return {"CodeSigningConfigArn": head.code_signing_config_arn, "FunctionName": function.name}


@operation("DeleteFunctionCodeSigningConfig")
def delete_function_code_signing_config(call: Call) -> Output:
    """Answers nothing, whether the function had one or not."""
    function, _ = call.function()
    call.cloud.ask(AttachCodeSigningConfig(resource=function, at_ms=call.now_ms(), arn=""))
    return None
