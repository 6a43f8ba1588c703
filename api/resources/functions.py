"""Functions: create, get, list, update, delete."""

from typing import Any

from relambda.actors.domain.configuration import settings
from relambda.actors.domain.description import describe
from relambda.actors.domain.functions import (
    CreateFunction,
    DeleteFunction,
    UpdateFunctionCode,
    UpdateFunctionConfiguration,
)
from relambda.actors.domain.names import LATEST, ResourceName
from relambda.actors.domain.publishing import DeleteVersion, last_published
from relambda.actors.domain.refusals import invalid, not_found
from relambda.actors.domain.state import FunctionState
from relambda.actors.domain.version import Version
from relambda.api.call import Call, Output, operation
from relambda.api.code import code_of, wait_until_settled
from relambda.api.code_location import location_of
from relambda.api.layers_used import check_total_size, latest_with, layers_of
from relambda.api.listing import list_documents
from relambda.api.references import referring


@operation("CreateFunction")
def create_function(call: Call) -> Output:
    """Answers Pending at once; the preparation goes on behind it."""
    function, _ = call.function()
    given = call.given
    is_new = call.cloud.views.head(function) is None
    if is_new:
        layers = layers_of(call, given.get("Layers"), given.get("PackageType", "Zip"))
        code = code_of(call, given["Code"])
        check_total_size(call, code, layers or ())
    else:
        code, layers = code_of(call, {}, required=False), ()  # refused by the decider; nothing is stored for it
    command = CreateFunction(
        resource=function,
        at_ms=call.now_ms(),
        settings=settings(given),
        code=code,
        layers=layers or (),
        tags=given.get("Tags") or {},
        code_signing_config_arn=given.get("CodeSigningConfigArn") or "",
        publish=bool(given.get("Publish")),
        revision_id=call.cloud.new_id(),
        limits=call.cloud.limits,
    )
    with referring(call, given if is_new else {}):
        state: FunctionState = call.cloud.ask(command)
    version = state.versions[str(state.last_version)] if command.publish else state.versions[LATEST]
    if call.cloud.settings.synchronous_create:
        version = wait_until_settled(call.cloud, function, version.version)
    return describe(function, version, qualified=False)


@operation("GetFunction")
def get_function(call: Call) -> Output:
    """Configuration, where the code can be had, tags if there are any, concurrency if some is reserved."""
    function, qualifier = call.function()
    version = call.cloud.views.qualified(function, qualifier)
    head = call.cloud.views.head(function)
    output: dict[str, Any] = {
        "Configuration": _configuration(function, version, qualifier),
        "Code": _code(call, function, version),
    }
    if head is not None and head.tags:
        output["Tags"] = head.tags
    if head is not None and head.reserved_concurrency is not None:
        output["Concurrency"] = {"ReservedConcurrentExecutions": head.reserved_concurrency}
    return output


def _code(call: Call, function: ResourceName, version: Version) -> dict[str, Any]:
    code = version.code
    if code.image_uri:
        return {
            "RepositoryType": "ECR",
            "ImageUri": code.image_uri,
            "ResolvedImageUri": code.resolved_image_uri or code.image_uri,
        }
    return {"RepositoryType": "S3", "Location": location_of(call, function.name, code)}


@operation("GetFunctionConfiguration")
def get_function_configuration(call: Call) -> Output:
    """The configuration of a version."""
    function, qualifier = call.function()
    return _configuration(function, call.cloud.views.qualified(function, qualifier), qualifier)


def _configuration(function: ResourceName, version: Version, qualifier: str | None) -> dict[str, Any]:
    """With the ARN as it was asked for: an alias's has the alias in it."""
    return {**describe(function, version, qualified=False), "FunctionArn": function.arn(qualifier)}


@operation("ListFunctions")
def list_functions(call: Call) -> Output:
    """$LATEST of each function by name; with FunctionVersion=ALL all versions of each.

    MasterRegion asks for replicas of Lambda@Edge functions, of which there are none.
    """
    is_all = call.given.get("FunctionVersion") == "ALL"
    if "MasterRegion" in call.given:
        if not is_all:
            raise invalid("FunctionVersion must be set to ALL when MasterRegion is specified.")
        return {"Functions": []}
    return list_documents(call, "version_listing" if is_all else "function_listing", call.scope.prefix, "Functions")


@operation("UpdateFunctionCode")
def update_function_code(call: Call) -> Output:
    """Answers $LATEST in progress, or the version when it is published too (TRAPS.md row 10)."""
    function, given = call.function()[0], call.given
    latest, code = call.cloud.views.qualified(function, None), code_of(call, given)
    check_total_size(call, code, latest.layers)
    command = UpdateFunctionCode(
        resource=function,
        at_ms=call.now_ms(),
        code=code,
        architectures=tuple(given["Architectures"]) if given.get("Architectures") else None,
        expected_revision_id=given.get("RevisionId"),
        revision_id=call.cloud.new_id(),
        publish=bool(given.get("Publish")),
        dry_run=bool(given.get("DryRun")),
    )
    state: FunctionState = call.cloud.ask(command)
    version = last_published(state) if command.publish and not command.dry_run else None
    if version is not None:
        return describe(function, version, qualified=True)
    return describe(function, state.versions[LATEST], qualified=False)


@operation("UpdateFunctionConfiguration")
def update_function_configuration(call: Call) -> Output:
    """Answers $LATEST in progress."""
    function, given = call.function()[0], call.given
    command = UpdateFunctionConfiguration(
        resource=function,
        at_ms=call.now_ms(),
        settings=settings(given),
        layers=latest_with(call, function, given),
        expected_revision_id=given.get("RevisionId"),
        revision_id=call.cloud.new_id(),
        limits=call.cloud.limits,
    )
    with referring(call, given, adding=False):
        state: FunctionState = call.cloud.ask(command)
    return describe(function, state.versions[LATEST], qualified=False)


@operation("DeleteFunction")
def delete_function(call: Call) -> Output:
    """The whole function, or one version of it."""
    function, qualifier = call.function()
    if qualifier == LATEST:
        raise invalid("$LATEST version cannot be deleted without deleting the function.")
    if call.cloud.views.head(function) is None:
        raise not_found(f"Function not found: {function.arn()}")
    if qualifier is None:
        call.cloud.ask(DeleteFunction(resource=function, at_ms=call.now_ms()))
    else:
        call.cloud.ask(DeleteVersion(resource=function, at_ms=call.now_ms(), version=qualifier))
    return {}
