"""Layers: publish, get, list and delete their versions, and share them by policies."""

from typing import Any

from relambda.actors import codec
from relambda.actors.domain.description import code_sha256
from relambda.actors.domain.layer_policies import (
    AddLayerPermission,
    RemoveLayerPermission,
    document,
    no_version,
)
from relambda.actors.domain.layers import (
    DeleteLayerVersion,
    LayerState,
    LayerVersion,
    PublishLayerVersion,
    check_number,
    describe_version,
    layer,
    layer_name,
)
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.policies import written
from relambda.actors.domain.refusals import Refusal, invalid, not_found
from relambda.api.call import Call, Output, operation
from relambda.api.code import code_of
from relambda.api.code_location import location_of
from relambda.api.layers_used import layer_version, not_shared, shared
from relambda.api.listing import list_documents
from relambda.api.paging import page
from relambda.api.wire.errors import ServiceError


def _named(call: Call) -> ResourceName:
    """The layer that `LayerName` means, a name or an ARN, be it another account's."""
    text: str = call.given["LayerName"]
    if not text.startswith("arn:"):
        return layer_name(call.scope, text)
    _, _, _, region, account, _, name = text.split(":")
    return ResourceName(layer.kind, account, region, name)


def _own(call: Call) -> ResourceName:
    """The layer that the caller wants to change. Raises ServiceError for another account's, Refusal for one afar."""
    name = _named(call)
    if name.account != call.scope.account:
        raise ServiceError("AccessDeniedException", None)
    if name.region != call.scope.region:
        raise not_found(f"Layers from '{name.region}' are not reachable in this region ('{call.scope.region}')")
    return name


@operation("PublishLayerVersion")
def publish_layer_version(call: Call) -> Output:
    """Answers the new version with its content's address."""
    name, given = _own(call), call.given
    content = given["Content"]
    if content.get("ZipFile") is None and not (content.get("S3Bucket") and content.get("S3Key")):
        raise invalid("Please provide a source for layer content.")
    code = code_of(call, content)
    command = PublishLayerVersion(
        resource=name,
        at_ms=call.now_ms(),
        sha256=code.sha256,
        size=code.size,
        mount=code.mount,
        description=given.get("Description") or "",
        license_info=given.get("LicenseInfo"),
        compatible_runtimes=_listed(given.get("CompatibleRuntimes")),
        compatible_architectures=_listed(given.get("CompatibleArchitectures")),
    )
    state: LayerState = call.cloud.ask(command)
    return _described(call, name, state.versions[str(state.last_version)])


def _listed(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)


def _described(call: Call, name: ResourceName, version: LayerVersion) -> dict[str, Any]:
    content = {
        "Location": location_of(call, f"{name.name}-{version.number}", version),
        "CodeSha256": code_sha256(version.sha256),
        "CodeSize": version.size,
    }
    return {"Content": content, "LayerArn": name.arn(), **describe_version(name, version)}


@operation("GetLayerVersion")
def get_layer_version(call: Call) -> Output:
    """A version of the caller's, or one that is shared with the caller."""
    return _get(call, _named(call), call.given["VersionNumber"])


@operation("GetLayerVersionByArn")
def get_layer_version_by_arn(call: Call) -> Output:
    """The same by the version's ARN."""
    parts = call.given["Arn"].split(":")
    if len(parts) != 8:  # an `awslayer`, of which there are none here
        raise _nothing()
    return _get(call, ResourceName(layer.kind, parts[4], parts[3], parts[6]), int(parts[7]))


def _get(call: Call, name: ResourceName, number: int) -> dict[str, Any]:
    check_number(number)
    version = layer_version(call.cloud.views, name, str(number))
    if name.account != call.scope.account and not shared(call, name, str(number)):
        raise ServiceError("AccessDeniedException", not_shared(call, name.arn(str(number))))
    if version is None or name.region != call.scope.region:
        raise _nothing()
    return _described(call, name, version)


def _nothing() -> Refusal:
    return not_found("The resource you requested does not exist.")


@operation("ListLayerVersions")
def list_layer_versions(call: Call) -> Output:
    """The newest first; none of a layer that is not there (TRAPS.md row 20)."""
    name, given = _named(call), call.given
    if name.account != call.scope.account:
        raise ServiceError("AccessDeniedException", None)
    prefix, (runtime, architecture) = name.row_key(""), _filters(given)
    if runtime is None and architecture is None:
        return list_documents(call, "layer_version_listing", prefix, "LayerVersions")

    def decode(value: bytes) -> dict[str, Any] | None:
        version = codec.from_row(LayerVersion, value)
        return describe_version(name, version) if version.fits(runtime, architecture) else None

    items, marker = page(call.cloud.store, "layer_versions", prefix, given, decode)
    return {"LayerVersions": items, "NextMarker": marker}


def _filters(given: dict[str, Any]) -> tuple[str | None, str | None]:
    return given.get("CompatibleRuntime"), given.get("CompatibleArchitecture")


@operation("ListLayers")
def list_layers(call: Call) -> Output:
    """By name, each with its newest version that fits what is asked for; layers without such a one are left out."""
    runtime, architecture = _filters(call.given)
    if runtime is None and architecture is None:
        return list_documents(call, "layers", call.scope.prefix, "Layers")

    def decode(value: bytes) -> dict[str, Any] | None:
        listed = codec.document(value)
        newest = _newest_fitting(call, layer_name(call.scope, listed["LayerName"]), runtime, architecture)
        return None if newest is None else {**listed, "LatestMatchingVersion": newest}

    items, marker = page(call.cloud.store, "layers", call.scope.prefix, call.given, decode)
    return {"Layers": items, "NextMarker": marker}


def _newest_fitting(
    call: Call, name: ResourceName, runtime: str | None, architecture: str | None
) -> dict[str, Any] | None:
    rows = call.cloud.views.scan("layer_versions", name.row_key(""))
    versions = (codec.from_row(LayerVersion, value) for _, value in rows)
    found = next((version for version in versions if version.fits(runtime, architecture)), None)
    return None if found is None else describe_version(name, found)


@operation("DeleteLayerVersion")
def delete_layer_version(call: Call) -> Output:
    """Answers nothing, whether the version was there or not; functions that use it keep its content."""
    command = DeleteLayerVersion(resource=_own(call), at_ms=call.now_ms(), version=call.given["VersionNumber"])
    call.cloud.ask(command)
    return None


@operation("AddLayerVersionPermission")
def add_layer_version_permission(call: Call) -> Output:
    """Answers the new statement as a text, and the policy's new revision."""
    name, given = _own(call), call.given
    command = AddLayerPermission(
        resource=name,
        at_ms=call.now_ms(),
        version=given["VersionNumber"],
        request=given,
        revision_id=call.cloud.new_id(),
        expected_revision_id=given.get("RevisionId"),
    )
    state: LayerState = call.cloud.ask(command)
    policy = state.policies[str(command.version)]
    return {"Statement": written(policy["Statement"][-1]), "RevisionId": policy["RevisionId"]}


@operation("RemoveLayerVersionPermission")
def remove_layer_version_permission(call: Call) -> Output:
    """Answers nothing."""
    command = RemoveLayerPermission(
        resource=_own(call),
        at_ms=call.now_ms(),
        version=call.given["VersionNumber"],
        statement_id=call.given["StatementId"],
        revision_id=call.cloud.new_id(),
        expected_revision_id=call.given.get("RevisionId"),
    )
    call.cloud.ask(command)
    return None


@operation("GetLayerVersionPolicy")
def get_layer_version_policy(call: Call) -> Output:
    """The policy as a text, and its revision."""
    name, number = _own(call), call.given["VersionNumber"]
    if layer_version(call.cloud.views, name, str(number)) is None:
        raise no_version(name, number)
    policy = call.cloud.views.document("layer_policies", name.row_key(str(number)))
    if policy is None:
        raise not_found("No policy is associated with the given resource.")
    return {"Policy": written(document(policy["Statement"])), "RevisionId": policy["RevisionId"]}
