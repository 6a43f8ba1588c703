"""The variables that a runtime finds in its environment (env_by_runtime.tsv; FACTS.md section 4)."""

from collections.abc import Mapping
from dataclasses import dataclass

from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.version import Version


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is the same for all functions of a cloud. `endpoint_url` is how they reach it, "" for not at all."""

    endpoint_url: str = ""

    def variables(
        self, resource: ResourceName, version: Version, *, runtime_api: str, log_stream: str
    ) -> Mapping[str, str]:
        """The environment of one sandbox; the user's own variables win over all but the reserved ones."""
        config = version.config
        given: dict[str, str] = dict(config.get("Environment", {}).get("Variables", {}))
        own = {
            "AWS_LAMBDA_RUNTIME_API": runtime_api,
            "AWS_LAMBDA_FUNCTION_NAME": resource.name,
            "AWS_LAMBDA_FUNCTION_VERSION": version.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config["MemorySize"]),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": config["LoggingConfig"]["LogGroup"],
            "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
            "AWS_REGION": resource.region,
            "AWS_DEFAULT_REGION": resource.region,
            "AWS_ACCESS_KEY_ID": resource.account,
            "AWS_SECRET_ACCESS_KEY": "relambda",
            "AWS_SESSION_TOKEN": "relambda",
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1:2000",
            "_AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1",
            "_AWS_XRAY_DAEMON_PORT": "2000",
            "TZ": ":UTC",
        }
        return {**self._defaults(version), **given, **own}

    def _defaults(self, version: Version) -> dict[str, str]:
        """Variables that the user may set otherwise."""
        config = version.config
        variables = {"AWS_ENDPOINT_URL": self.endpoint_url} if self.endpoint_url else {}
        if config.get("Handler"):
            variables["_HANDLER"] = config["Handler"]
        if config["PackageType"] == "Image":
            variables["AWS_EXECUTION_ENV"] = "AWS_Lambda_Image"
        elif not config["Runtime"].startswith("provided"):
            variables["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{config['Runtime']}"
        if config["LoggingConfig"]["LogFormat"] == "JSON":
            variables["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
            variables["AWS_LAMBDA_LOG_LEVEL"] = config["LoggingConfig"]["ApplicationLogLevel"]
        return variables
