"""Debugging: functions whose runtimes start with a debugger that listens on a port, and time that waits for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from relambda.actors.domain.names import LATEST, ResourceName
from relambda.actors.domain.version import Version
from relambda.actors.engine.contract import Mount, Sandbox, SandboxSpec

_WRAPPER: Final = "/var/relambda/debugpy.sh"


@dataclass(frozen=True, slots=True)
class DebugTarget:
    """How one function is debugged."""

    port: int
    """Where the debugger listens: in the container, and on this machine's loopback address."""
    timeouts: bool = True
    """Whether timeouts count while nobody is attached."""
    waits: bool = False
    """Whether the runtime's start waits until somebody is attached."""
    starts_debugger: bool = True
    """Whether the runtime is started under its language's debugger; else the function starts one itself."""


Targets = Mapping[str, DebugTarget]
"""By the function's ARN; one without a qualifier means $LATEST."""


class Debugging:
    """Which functions are debugged. `targets` is asked at each start of a container, and must be quick; any thread."""

    def __init__(self, targets: Callable[[], Targets], wrapper: Path) -> None:
        """`wrapper` is the host's copy of `docker/debugpy.sh`."""
        self.targets, self._wrapper = targets, wrapper

    def of(self, resource: ResourceName, version: Version) -> "Debugger | None":
        """The debugger of a version's only execution environment; None when it is not debugged."""
        qualifier = None if version.version == LATEST else version.version
        target = self.targets().get(resource.arn(qualifier))
        return None if target is None else Debugger(target, version, self._wrapper)


@dataclass(frozen=True, slots=True)
class Debugger:
    """The debugger of one execution environment."""

    target: DebugTarget
    version: Version
    wrapper: Path

    def dress(self, spec: SandboxSpec) -> SandboxSpec:
        """The environment with the port published, and with the debugger in the runtime's command."""
        dressed = replace(spec, ports=(self.target.port,))
        runtime: str = self.version.config.get("Runtime", "")
        if not self.target.starts_debugger:
            return dressed
        if runtime.startswith("python"):
            return self._python(dressed)
        return self._node(dressed) if runtime.startswith("nodejs") else dressed

    def holds(self, sandbox: Sandbox | None, *, initialising: bool) -> bool:
        """Whether timeouts are to wait now. Asks the engine, which takes some 50 ms."""
        if not self.target.timeouts or (self.target.waits and initialising):
            return True
        return sandbox is not None and sandbox.connected(self.target.port)

    def _python(self, spec: SandboxSpec) -> SandboxSpec:
        """By the wrapper script that AWS's runtimes read; the user's own one is called by it."""
        variables = {
            "AWS_LAMBDA_EXEC_WRAPPER": _WRAPPER,
            "RELAMBDA_EXEC_WRAPPER": spec.environment.get("AWS_LAMBDA_EXEC_WRAPPER", ""),
            "RELAMBDA_DEBUGPY": f"--listen 0.0.0.0:{self.target.port}{' --wait-for-client' * self.target.waits}",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
        mounts: Sequence[Mount] = (*spec.mounts, Mount(self.wrapper, _WRAPPER))
        return replace(spec, environment={**spec.environment, **variables}, mounts=mounts)

    def _node(self, spec: SandboxSpec) -> SandboxSpec:
        inspect = f"--inspect{'-brk' * self.target.waits}=0.0.0.0:{self.target.port}"
        options = " ".join(filter(None, (spec.environment.get("NODE_OPTIONS"), inspect)))
        return replace(spec, environment={**spec.environment, "NODE_OPTIONS": options})
