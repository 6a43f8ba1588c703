"""How a version is shown: AWS's FunctionConfiguration, as single answers and as lists have it."""

import hashlib
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.version import Status, Version

NOT_LISTED = frozenset(
    {
        "State",
        "StateReason",
        "StateReasonCode",
        "LastUpdateStatus",
        "LastUpdateStatusReason",
        "LastUpdateStatusReasonCode",
        "RuntimeVersionConfig",
    }
)
"""Members that lists leave out (TRAPS.md row 8)."""


def timestamp(at_ms: int) -> str:
    """Lambda's own form of a moment, `YYYY-MM-DDThh:mm:ss.mmm+0000` (FACTS.md section 1)."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}+0000"


def code_sha256(sha256: str) -> str:
    """A sha256 in hex as AWS shows it, in base64."""
    return b64encode(bytes.fromhex(sha256)).decode()


def describe(resource: ResourceName, version: Version, *, qualified: bool) -> dict[str, Any]:
    """FunctionConfiguration of a version; `qualified` puts the version into the ARN (TRAPS.md rows 8 and 9)."""
    config = dict(version.config)
    image = config.pop("ImageConfig", None)
    return {
        "FunctionName": resource.name,
        "FunctionArn": resource.arn(version.version if qualified else None),
        "Version": version.version,
        "LastModified": timestamp(version.modified_ms),
        "RevisionId": version.revision_id,
        "CodeSize": version.code.size,
        "CodeSha256": code_sha256(version.code.sha256),
        **config,
        "SnapStart": {**config["SnapStart"], "OptimizationStatus": _optimization(version)},
        **_vpc(config),
        **({"ImageConfigResponse": {"ImageConfig": image}} if image else {}),
        **_layers(version),
        **_runtime_version(resource, config),
        **_status("State", "StateReason", version.state),
        **(_status("LastUpdateStatus", "LastUpdateStatusReason", version.update) if version.update else {}),
    }


def listing(resource: ResourceName, version: Version, *, qualified: bool = False) -> dict[str, Any]:
    """FunctionConfiguration as lists show it: without states."""
    shown = describe(resource, version, qualified=qualified)
    return {member: value for member, value in shown.items() if member not in NOT_LISTED}


def _optimization(version: Version) -> str:
    return "On" if version.snap_started else "Off"


def _layers(version: Version) -> dict[str, Any]:
    shown = [{"Arn": layer.arn, "CodeSize": layer.size} for layer in version.layers]
    return {"Layers": shown} if shown else {}


def _vpc(config: dict[str, Any]) -> dict[str, Any]:
    vpc = config.get("VpcConfig")
    if vpc is None:
        return {}
    attached = bool(vpc.get("SubnetIds"))
    defaults = {"SubnetIds": [], "SecurityGroupIds": [], "Ipv6AllowedForDualStack": False}
    return {"VpcConfig": {**defaults, **vpc, "VpcId": "vpc-00000000000000000" if attached else ""}}


def _runtime_version(resource: ResourceName, config: dict[str, Any]) -> dict[str, Any]:
    runtime = config.get("Runtime")
    if runtime is None:
        return {}
    digest = hashlib.sha256(runtime.encode()).hexdigest()
    arn = resource.scope.arn(f"runtime:{digest}").replace(f":{resource.account}:", "::")
    return {"RuntimeVersionConfig": {"RuntimeVersionArn": arn}}


def _status(member: str, reason: str, status: Status) -> dict[str, str]:
    shown = {member: status.value}
    if status.reason:
        shown[reason] = status.reason
    if status.code:
        shown[f"{reason}Code"] = status.code
    return shown
