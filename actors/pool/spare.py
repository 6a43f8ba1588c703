"""A sandbox that was started for no function in particular, and how it becomes one function's."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from relambda.actors.engine.contract import EngineError, Mount, Sandbox, SandboxListener, SandboxSpec
from relambda.actors.packages.merging import merge_into
from relambda.actors.pool.listener import MARK, SpareListener

CODE: Final = ("/var/task", "/opt")
"""What a function brings; a spare sandbox has an empty folder of its own at each."""
TMP_MB: Final = 512
MAX_ENTRIES: Final = 1000
"""Larger packages are mounted by a start of their own: to link each of their files would take as long."""
ALIVE_SECONDS: Final = 2.0
"""So long a spare sandbox may take to answer; one that does not hangs."""
_SHELLS_OWN: Final = frozenset({"UID", "EUID", "PPID", "GROUPS", "IFS", "SHELLOPTS", "BASHOPTS", "OPTIND", "DIRSTACK"})
"""Variables that no shell lets be set, or that change how it reads."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What spare sandboxes must have in common with the one that is wanted."""

    image: str
    """By its id: a name may come to mean another image."""
    architecture: str
    common: tuple[Mount, ...]
    """What every function of the cloud sees of this machine."""


@dataclass(frozen=True, slots=True)
class Spare:
    """A started sandbox, the host name that its function's runtime will use, and the folders that are its code."""

    sandbox: Sandbox
    listener: SpareListener
    host: str
    folder: Path
    memory_mb: int

    def dress(self, spec: SandboxSpec, command: Sequence[str], listener: SandboxListener) -> None:
        """Make it the sandbox that `spec` asks for, all but its host name. Raises EngineError, OSError.

        It has to say that it lives, which it mostly has by the time that its code is in its place.
        """
        self.sandbox.mark(MARK)
        for mount in spec.mounts:
            if mount.target in CODE:
                merge_into(code_folder(self.folder, mount.target), [mount.source])
        if not self.listener.answers(ALIVE_SECONDS):
            raise EngineError(f"the container {self.sandbox.id[:12]} does not answer within {ALIVE_SECONDS:.0f} s")
        if spec.memory_mb != self.memory_mb:
            self.sandbox.resize(spec.memory_mb)
        self.sandbox.dress(setup(self._environment(spec), command), listener)

    def _environment(self, spec: SandboxSpec) -> Mapping[str, str]:
        old, new = f"{spec.runtime_host}:", f"{self.host}:"
        return {
            name: new + value.removeprefix(old) if value.startswith(old) else value
            for name, value in spec.environment.items()
        }


def code_folder(folder: Path, target: str) -> Path:
    """Where the host has what a spare sandbox sees at `target`."""
    return folder / target.strip("/").replace("/", "-")


def fits(spec: SandboxSpec) -> bool:
    """Whether a spare sandbox could become what is asked for."""
    code = [mount for mount in spec.mounts if mount.target in CODE]
    return (
        bool(code)
        and spec.working_directory is None
        and spec.tmp_mb == TMP_MB
        and not spec.ports
        and all(mount.fixed and is_small(mount.source) for mount in code)
        and not _SHELLS_OWN & spec.environment.keys()
        and all(name.isascii() and name.isidentifier() for name in spec.environment)
    )


def common_mounts(mounts: Sequence[Mount]) -> tuple[Mount, ...]:
    """Those that are no function's own."""
    return tuple(mount for mount in mounts if mount.target not in CODE)


@lru_cache(4096)
def is_small(folder: Path) -> bool:
    """Whether a folder, whose content never changes, holds few enough files and folders to link them."""
    left = MAX_ENTRIES
    for _, folders, files in os.walk(folder):
        left -= len(folders) + len(files)
        if left < 0:
            return False
    return True


def setup(environment: Mapping[str, str], command: Sequence[str]) -> str:
    """What the init's shell runs before the runtime, in one line that its `printf %b` turns back (docker/init.sh)."""
    exports = " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
    script = f"export {exports}; set -- {shlex.join(command)}"
    return script.replace("\\", "\\\\").replace("\n", "\\n")
