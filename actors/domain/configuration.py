"""A version's configuration in AWS's member names: defaults, merging of an update, and what AWS refuses in it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from relambda.actors.domain.limits import Limits
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import Refusal, invalid
from relambda.actors.domain.runtimes import ACCEPTED, RUNTIMES

Json: TypeAlias = Mapping[str, Any]
"""A document in AWS's own member names."""

MEMBERS = (
    "Runtime",
    "Role",
    "Handler",
    "Description",
    "Timeout",
    "MemorySize",
    "VpcConfig",
    "PackageType",
    "DeadLetterConfig",
    "Environment",
    "KMSKeyArn",
    "TracingConfig",
    "FileSystemConfigs",
    "ImageConfig",
    "Architectures",
    "EphemeralStorage",
    "SnapStart",
    "LoggingConfig",
    "CapacityProviderConfig",
    "DurableConfig",
    "TenancyConfig",
    "RuntimeConfig",
    "AcceleratorConfig",
    "PropagateTags",
    "TelemetryConfig",
)
"""Members of a request that are configuration, as opposed to code, tags and directives."""

_EMPTY_REMOVES = {"DeadLetterConfig": "TargetArn", "KMSKeyArn": "", "FileSystemConfigs": ""}
_EMPTY_RESETS: Json = {"SnapStart": {"ApplyOn": "None"}, "TracingConfig": {"Mode": "PassThrough"}}
"""What members are that nobody has given, or that were given without a word in them."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer version that a function uses; its content stays even when the layer version is deleted."""

    arn: str
    size: int
    sha256: str
    mount: str = ""
    """A host folder in the place of a zip (hot reload)."""


def settings(request: Json) -> dict[str, Any]:
    """The configuration members of a request, in the model's order."""
    return {member: request[member] for member in MEMBERS if request.get(member) is not None}


def with_defaults(name: ResourceName, given: Json) -> dict[str, Any]:
    """A new function's configuration (FACTS.md section 1, "State facts"; TRAPS.md row 8)."""
    managed = "CapacityProviderConfig" in given
    config: dict[str, Any] = {
        "Description": "",
        "Timeout": 3,
        "MemorySize": 2048 if managed else 128,
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        **_EMPTY_RESETS,
        **_reset(given),
    }
    logging = {"LogFormat": "JSON" if managed else "Text", "LogGroup": f"/aws/lambda/{name.name}"}
    config["LoggingConfig"] = _logging({**logging, **given.get("LoggingConfig", {})})
    return _without_empty(config)


def merged(config: Json, changes: Json) -> dict[str, Any]:
    """A configuration after UpdateFunctionConfiguration: members given replace, empty ones remove."""
    result = {**config, **_reset(changes)}
    if "LoggingConfig" in changes:
        result["LoggingConfig"] = _logging({**config["LoggingConfig"], **changes["LoggingConfig"]})
    return _without_empty(result)


def _logging(logging: dict[str, Any]) -> dict[str, Any]:
    """Levels exist with JSON only, where both default to INFO (log_formats.tsv)."""
    levels = ("ApplicationLogLevel", "SystemLogLevel")
    if logging["LogFormat"] == "Text":
        return {key: value for key, value in logging.items() if key not in levels}
    return {**dict.fromkeys(levels, "INFO"), **logging}


def _reset(given: Json) -> dict[str, Any]:
    """What is given, with the defaults of the members that are given empty."""
    return {member: value or _EMPTY_RESETS.get(member, value) for member, value in given.items()}


def _without_empty(config: dict[str, Any]) -> dict[str, Any]:
    for member, inner in _EMPTY_REMOVES.items():
        value = config.get(member)
        if member in config and not (value.get(inner) if inner and value else value):
            del config[member]
    return config


def check(config: Json, changes: Json, limits: Limits, at_ms: int, *, creating: bool) -> None:
    """Refuse what the model allows and AWS does not. `changes` are the members this request gives."""
    _check_package(config)
    if "Runtime" in changes and config["PackageType"] == "Zip":
        _check_runtime(config["Runtime"], limits, at_ms, creating=creating)
    if "Environment" in changes:
        _check_environment(config["Environment"].get("Variables", {}), limits)
    _check_sizes(config)
    _check_snap_start(config)
    _check_managed(config)


def _check_package(config: Json) -> None:
    if config["PackageType"] == "Zip":
        if not config.get("Runtime") or not config.get("Handler"):
            raise invalid(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages."
            )
    elif config.get("Runtime") or config.get("Handler"):
        raise invalid(
            "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."
        )


def _check_runtime(runtime: str, limits: Limits, at_ms: int, *, creating: bool) -> None:
    known = RUNTIMES.get(runtime)
    if known is None and not runtime.startswith("arn:"):
        raise invalid(
            f"Value {runtime} at 'runtime' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{ACCEPTED}] or be a valid ARN"
        )
    blocked = known and (known.block_create if creating else known.block_update)
    today = datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()
    if limits.runtime_validation and blocked and blocked <= today:
        raise invalid(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. "
            "We recommend you use a supported runtime while creating or updating functions."
        )


RESERVED_VARIABLES = frozenset(
    {
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECRET_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
    }
)
"""Variables that only Lambda sets (Developer Guide, "Defined runtime environment variables")."""


def _check_environment(variables: Mapping[str, str], limits: Limits) -> None:
    reserved = sorted(RESERVED_VARIABLES.intersection(variables))
    if reserved:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    text = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(text.encode()) > limits.environment_size:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the {limits.environment_size // 1024}KB limit. String measured: {text}"
        )


def _check_sizes(config: Json) -> None:
    if "CapacityProviderConfig" in config:
        return
    for member, path, most in (("Timeout", "timeout", 900), ("MemorySize", "memorySize", 10240)):
        if config[member] > most:
            raise Refusal(
                "ValidationException",
                f"1 validation error detected: Value '{config[member]}' at '{path}' failed to satisfy constraint: "
                f"Member must have value less than or equal to {most}",
            )


def _check_snap_start(config: Json) -> None:
    if config["SnapStart"]["ApplyOn"] == "None":
        return
    runtime = RUNTIMES.get(config.get("Runtime", ""))
    if runtime is None or not runtime.snap_start:
        raise invalid(f"{config.get('Runtime', 'Image')} is not supported for SnapStart enabled functions.")
    if config["EphemeralStorage"]["Size"] > 512:
        raise invalid("You can't use SnapStart with ephemeral storage larger than 512 MB.")


def _check_managed(config: Json) -> None:
    """What managed instances cannot run (runtimes.tsv; Developer Guide, "Lambda Managed Instances")."""
    if "CapacityProviderConfig" not in config:
        return
    runtime = RUNTIMES.get(config.get("Runtime", ""))
    if config["PackageType"] == "Zip" and (runtime is None or not runtime.managed_instances):
        raise invalid(f"{config['Runtime']} is not supported for functions with a capacity provider.")
    if not 2048 <= config["MemorySize"] <= 32768:
        raise invalid("MemorySize must be from 2048 to 32768 for functions with a capacity provider.")
    if config["SnapStart"]["ApplyOn"] != "None":
        raise invalid("SnapStart is not supported for functions with a capacity provider.")
