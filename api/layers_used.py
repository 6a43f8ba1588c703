"""Layers as functions use them: which versions a request names, and whether they fit beside the code."""

from collections.abc import Sequence
from typing import Any

from relambda.actors.domain.configuration import Layer
from relambda.actors.domain.layer_policies import admits
from relambda.actors.domain.layers import LayerVersion, check_use, layer, newest_first
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import Refusal, invalid
from relambda.actors.domain.version import Code
from relambda.actors.packages.size import unzipped_size
from relambda.api.call import Call
from relambda.api.foreign_layers import foreign_layer
from relambda.api.views import Views
from relambda.api.wire.errors import ServiceError


def layers_of(call: Call, arns: list[str] | None, package_type: str = "Zip") -> tuple[Layer, ...] | None:
    """The layer versions that a request names, in its order; None when it names none.

    Raises Refusal; ServiceError (AccessDeniedException) for one of another account that does not share it.
    """
    if arns is None:
        return None
    check_use(arns, call.scope.region, call.cloud.limits.layers, package_type)
    return tuple(_layer(call, arn) for arn in arns)


def _layer(call: Call, arn: str) -> Layer:
    parts = arn.split(":")
    if len(parts) != 8:  # an `awslayer`, of which there are none here
        raise _not_there(arn)
    name, number = ResourceName(layer.kind, parts[4], parts[3], parts[6]), str(int(parts[7]))
    version = layer_version(call.cloud.views, name, number)
    foreign = name.account != call.scope.account
    if foreign and version is None and (fetched := foreign_layer(call, arn)) is not None:
        return fetched
    if foreign and not shared(call, name, number):
        raise ServiceError("AccessDeniedException", not_shared(call, arn))
    if version is None:
        raise _not_there(arn)
    return Layer(name.arn(number), version.size, version.sha256, version.mount)


def _not_there(arn: str) -> Refusal:
    return invalid(f"Layer version {arn} does not exist.")


def not_shared(call: Call, arn: str) -> str:
    """AWS's words as users have published them."""
    return (
        f"User: arn:aws:iam::{call.scope.account}:root is not authorized to perform: lambda:GetLayerVersion on "
        f"resource: {arn} because no resource-based policy allows the lambda:GetLayerVersion action"
    )


def layer_version(views: Views, name: ResourceName, number: str) -> LayerVersion | None:
    """One version of a layer."""
    return views.row(LayerVersion, "layer_versions", name.row_key(newest_first(number)))


def shared(call: Call, name: ResourceName, number: str) -> bool:
    """Whether another account's layer version may be used by the caller's account."""
    return admits(call.cloud.views.document("layer_policies", name.row_key(number)), call.scope.account)


def check_total_size(call: Call, code: Code, layers: Sequence[Layer]) -> None:
    """Refuse layers that do not fit beside the code, all of it unzipped. Raises Refusal.

    The words are AWS's as users have published them. A folder in the place of a zip does not count.
    """
    if not layers:
        return
    blobs, limit = call.cloud.blobs, call.cloud.limits.code_size_unzipped
    total = sum(unzipped_size(blobs.path(each.sha256)) for each in layers if not each.mount)
    if total >= limit:
        raise invalid(f"Layers consume more than the available size of {limit} bytes")
    if code.sha256 and not code.mount and not code.image_uri:
        total += unzipped_size(blobs.path(code.sha256))
    if total >= limit:
        raise invalid(
            f"Function code combined with layers exceeds the maximum allowed size of {limit} bytes. "
            f"The actual size is {total} bytes."
        )


def latest_with(call: Call, function: ResourceName, given: dict[str, Any]) -> tuple[Layer, ...] | None:
    """The layers that a change of $LATEST's configuration names, fitting beside its code. Raises Refusal."""
    if given.get("Layers") is None:
        return None
    latest = call.cloud.views.qualified(function, None)
    layers = layers_of(call, given["Layers"], latest.config["PackageType"])
    check_total_size(call, latest.code, layers or ())
    return layers
