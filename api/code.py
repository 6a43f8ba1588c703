"""Code as requests give it: a zip in the request or in S3, an image, a folder; checked, stored, named by its sha256."""

import hashlib
from typing import TYPE_CHECKING, Any

from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import Refusal, invalid
from relambda.actors.domain.version import Code, Version
from relambda.actors.hot_reload.folder import HotFolderError
from relambda.actors.packages.packages import PackageError, inspect_zip
from relambda.api.call import Call
from relambda.api.s3 import fetch

if TYPE_CHECKING:
    from relambda.api.cloud import Cloud

HOT_RELOAD = "hot-reload"
"""The bucket that stands for folders of this machine, beside the one that BUCKET_MARKER_LOCAL names."""
SETTLE_SECONDS = 10.0
"""How long LAMBDA_SYNCHRONOUS_CREATE waits (options.md)."""


def code_of(call: Call, given: dict[str, Any], *, required: bool = True) -> Code:
    """The code that CreateFunction's `Code` or UpdateFunctionCode's own members give, stored. Raises Refusal."""
    if image := given.get("ImageUri"):
        return Code(sha256=hashlib.sha256(image.encode()).hexdigest(), image_uri=image)
    if (zipped := given.get("ZipFile")) is not None:
        _check_upload(call, zipped)
        return _stored(call, zipped)
    if given.get("S3Bucket") and given.get("S3Key"):
        if given["S3Bucket"] in {HOT_RELOAD, call.cloud.settings.bucket_marker_local}:
            return _folder(call, given["S3Key"])
        limit = call.cloud.limits.code_size_unzipped
        settings = call.cloud.settings
        return _stored(call, fetch(settings.s3_endpoint_url or settings.upstream_url, call.caller, given, limit))
    if required:
        raise invalid("Please provide a source for function code.")
    return Code()


def _folder(call: Call, path: str) -> Code:
    """A folder of this machine: its path is its identity, whatever it holds now or later. Raises Refusal."""
    try:
        call.cloud.hot_reload.admit(path)
    except HotFolderError as error:
        raise invalid(str(error)) from None
    return Code(sha256=hashlib.sha256(path.encode()).hexdigest(), mount=path)


def _check_upload(call: Call, zipped: bytes) -> None:
    """A zip in the request has a limit of its own; one in S3 has that of what is in it (limits.tsv)."""
    most = call.cloud.limits.code_size_zipped
    if len(zipped) > most:
        raise Refusal("RequestEntityTooLargeException", f"Zipped size must be smaller than {most} bytes")


def _stored(call: Call, zipped: bytes) -> Code:
    limits = call.cloud.limits
    try:
        inspect_zip(zipped, limits.code_size_unzipped)
    except PackageError as error:
        raise invalid(str(error)) from None
    call.cloud.code_storage.admit(call.scope, len(zipped))
    return Code(sha256=call.cloud.blobs.put(zipped), size=len(zipped))


def wait_until_settled(cloud: "Cloud", function: ResourceName, number: str) -> Version:
    """The version when no preparation of it is under way, or the bound is over. Raises Refusal when it is gone."""
    cloud.wait_for(lambda: not cloud.views.qualified(function, number).unfinished, SETTLE_SECONDS)
    return cloud.views.qualified(function, number)
