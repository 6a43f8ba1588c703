"""The variables that a runtime finds in its environment (env_by_runtime.tsv; FACTS.md section 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.version import Version
from relambda.actors.environments.trust import Trust

_OLD_JAVA: Final = ("java11", "java8.al2")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is the same for all functions of a cloud: how they reach it."""

    host: str = ""
    """What functions call the cloud's machine; "" when they cannot reach the cloud."""
    port: int = 0
    inject_endpoint: bool = True
    """Whether SDKs are told to use the cloud for all of AWS."""
    trace_daemon: tuple[str, int] = ("169.254.100.1", 2000)
    """Host and port of the trace daemon; as long as there is none, AWS's own, where nobody answers."""
    trust: Trust | None = None
    """What makes functions trust the cloud under AWS's own host names."""

    def variables(
        self, resource: ResourceName, version: Version, *, runtime_api: str, log_stream: str
    ) -> Mapping[str, str]:
        """The environment of one sandbox; the user's own variables win over all but the reserved ones."""
        given: Mapping[str, str] = version.config.get("Environment", {}).get("Variables", {})
        return {
            **self._cloud(),
            "AWS_XRAY_DAEMON_ADDRESS": f"{self.trace_daemon[0]}:{self.trace_daemon[1]}",
            **(self.trust.variables() if self.trust else {}),
            **_defaults(version),
            **given,
            **_reserved(resource, version),
            "_AWS_XRAY_DAEMON_ADDRESS": self.trace_daemon[0],
            "_AWS_XRAY_DAEMON_PORT": str(self.trace_daemon[1]),
            "AWS_LAMBDA_RUNTIME_API": runtime_api,
            "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        }

    def _cloud(self) -> dict[str, str]:
        """How the function's own calls find this cloud; the old names are those that people's code still reads."""
        if not self.host:
            return {}
        variables = {"LOCALSTACK_HOSTNAME": self.host, "EDGE_PORT": str(self.port)}
        if self.inject_endpoint:
            variables["AWS_ENDPOINT_URL"] = f"http://{self.host}:{self.port}"
        return variables


def _defaults(version: Version) -> dict[str, str]:
    """Variables that the user may set otherwise."""
    variables = {
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "TZ": ":UTC",
    }
    runtime = version.config.get("Runtime", "")
    if runtime.startswith("dotnet"):
        variables["LAMBDA_RUNTIME_NAME"] = runtime
    return variables


def _reserved(resource: ResourceName, version: Version) -> dict[str, str]:
    """Variables that the user cannot set."""
    config = version.config
    variables = {
        "AWS_LAMBDA_FUNCTION_NAME": resource.name,
        "AWS_LAMBDA_FUNCTION_VERSION": version.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config["MemorySize"]),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_REGION": resource.region,
        "AWS_DEFAULT_REGION": resource.region,
        **_logging(config["LoggingConfig"]),
        **_credentials(resource, config.get("Runtime", "")),
    }
    if config["PackageType"] == "Image":
        return {**variables, "AWS_EXECUTION_ENV": "AWS_Lambda_Image"}
    return {**variables, **_managed(config)}


def _managed(config: Mapping[str, Any]) -> dict[str, str]:
    """What functions have that are no images."""
    runtime = config["Runtime"]
    variables = {"LAMBDA_TASK_ROOT": "/var/task", "LAMBDA_RUNTIME_DIR": "/var/runtime", "_HANDLER": config["Handler"]}
    if not runtime.startswith("provided"):
        variables["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{runtime}"
    return variables


def _logging(config: Mapping[str, Any]) -> dict[str, str]:
    variables = {"AWS_LAMBDA_LOG_GROUP_NAME": config["LogGroup"]}
    if config["LogFormat"] == "JSON":
        variables |= {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": config["ApplicationLogLevel"]}
    return variables


def _credentials(resource: ResourceName, runtime: str) -> dict[str, str]:
    """Those of the function's own account in this cloud."""
    key, secret = resource.account, "relambda"
    variables = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": "relambda"}
    return variables | ({"AWS_ACCESS_KEY": key, "AWS_SECRET_KEY": secret} if runtime in _OLD_JAVA else {})
