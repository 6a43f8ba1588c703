"""Layer versions of other accounts, fetched from AWS or from another endpoint, once: a version never changes."""

import hashlib
import json
import logging
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from relambda.actors.domain.configuration import Layer
from relambda.actors.domain.refusals import Refusal, invalid
from relambda.actors.packages.packages import PackageError, inspect_zip
from relambda.api.call import Call
from relambda.store.blobs import Blobs
from relambda.store.errors import StoreError

AWS = "aws"
"""The value of the option that stands for AWS itself."""
_log = logging.getLogger(__name__)
_SECONDS = 30
_CHUNK = 1024 * 1024


def foreign_layer(call: Call, arn: str) -> Layer | None:
    """The layer version, stored by now; None when there is no endpoint or the endpoint does not give it.

    Raises Refusal when the endpoint does not answer, or what it gives is no package or another one.
    """
    endpoint = call.cloud.settings.layer_endpoint_url
    if not endpoint:
        return None
    kept = _path(call, arn)
    known = _kept(kept, call.cloud.blobs)
    return known or _fetch(call, endpoint, arn, kept)


def _path(call: Call, arn: str) -> Path:
    return call.cloud.settings.state_dir / "foreign-layers" / f"{hashlib.sha256(arn.encode()).hexdigest()}.json"


def _kept(path: Path, blobs: Blobs) -> Layer | None:
    try:
        about = json.loads(path.read_text())
        layer = Layer(about["arn"], about["size"], about["sha256"])
    except (FileNotFoundError, ValueError, KeyError):
        return None
    return layer if blobs.exists(layer.sha256) else None


def _fetch(call: Call, endpoint: str, arn: str, kept: Path) -> Layer | None:
    found = _ask(call, endpoint, arn)
    if found is None:
        return None
    limit = call.cloud.limits.code_size_unzipped
    try:
        sha256, size = call.cloud.blobs.put_stream(_download(found["Content"]["Location"]), limit)
        inspect_zip(call.cloud.blobs.path(sha256), limit)
    except PackageError as error:
        raise invalid(f"The layer version {arn} holds no package: {error}") from None
    except (OSError, StoreError) as error:
        raise Refusal("ServiceException", f"The layer version {arn} could not be downloaded: {error}") from None
    if b64encode(bytes.fromhex(sha256)).decode() != found["Content"]["CodeSha256"]:
        raise Refusal("ServiceException", f"The layer version {arn} came damaged: its sha256 is another one.")
    kept.parent.mkdir(exist_ok=True)
    beside = kept.with_suffix(".new")
    beside.write_text(json.dumps({"arn": arn, "size": size, "sha256": sha256}))
    beside.rename(kept)
    _log.info("fetched the layer version %s, %d bytes", arn, size)
    return Layer(arn, size, sha256)


def _ask(call: Call, endpoint: str, arn: str) -> dict[str, Any] | None:
    """GetLayerVersionByArn; None for what the endpoint does not have, or does not share."""
    import boto3  # noqa: PLC0415 - costs 30 MB, and few clouds need it
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    own: dict[str, str] = {}
    if endpoint != AWS:
        key = call.caller.access_key or call.caller.account
        own = {"endpoint_url": endpoint, "aws_access_key_id": key, "aws_secret_access_key": "relambda"}
    config = Config(connect_timeout=5, read_timeout=_SECONDS)
    client = boto3.client("lambda", region_name=arn.split(":")[3], config=config, **own)
    try:
        answer: dict[str, Any] = client.get_layer_version_by_arn(Arn=arn)
    except ClientError as error:
        _log.warning("%s does not give the layer version %s: %s", endpoint, arn, error)
        return None
    except BotoCoreError as error:
        raise Refusal("ServiceException", f"The layer version {arn} could not be asked for: {error}") from None
    finally:
        client.close()
    return answer


def _download(url: str) -> Iterator[bytes]:
    if not url.startswith(("http://", "https://")):
        raise OSError(f"{url[:80]!r} is no address to download from")
    with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - checked above
        while chunk := answer.read(_CHUNK):
            yield chunk
