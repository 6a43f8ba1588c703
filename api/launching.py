"""What an editor needs to attach to a debugged function: Visual Studio Code's launch configuration, and its parts."""

from typing import Any

from relambda.actors.domain.version import Version
from relambda.actors.environments.debugging import DebugTarget

HOST = "127.0.0.1"
_WORKSPACE = "${workspaceFolder}"


def description(arn: str, target: DebugTarget, version: Version | None) -> dict[str, Any]:
    """A debugged function as `relambda debug` prints it; `version` is None while there is no such function."""
    runtime: str = version.config.get("Runtime", "") if version else ""
    mappings = _mappings(version)
    return {
        "function": arn,
        "runtime": runtime,
        "host": HOST,
        "port": target.port,
        "timeouts": "held while attached" if target.timeouts else "off",
        "waits": target.waits,
        "path_mappings": mappings,
        "launch": _launch(arn.split(":", 6)[6], runtime, target, mappings),
    }


def _mappings(version: Version | None) -> list[dict[str, str]]:
    """Where the container's files are on this machine: a folder of hot reload, or the editor's own."""
    code = version.code.mount if version else ""
    mappings = [{"localRoot": code or _WORKSPACE, "remoteRoot": "/var/task"}]
    layers = version.layers if version else ()
    return [*mappings, *({"localRoot": layer.mount, "remoteRoot": "/opt"} for layer in layers if layer.mount)]


def _launch(name: str, runtime: str, target: DebugTarget, mappings: list[dict[str, str]]) -> dict[str, Any]:
    common = {"name": f"Relambda: {name}", "request": "attach"}
    if runtime.startswith("nodejs"):
        return {**common, "type": "node", "address": HOST, "port": target.port, "restart": True, **mappings[0]}
    connect = {"host": HOST, "port": target.port}
    return {**common, "type": "debugpy", "connect": connect, "pathMappings": mappings, "justMyCode": True}
