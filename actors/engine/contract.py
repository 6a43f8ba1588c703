"""What Relambda asks of a container engine: images, sandboxes (one container each) and a sweep at boot.

A sandbox is Lambda's: user sbx_user1051, a read-only root, a /tmp of its own size, no privileges, AWS's limits. It
runs the in-container init (`docker/init.sh`) as its first process. The init reads one command a line on its standard
input and runs the function's extensions and runtime, so that they are started again, with their process state gone
and /tmp kept, without a new container.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


class EngineError(Exception):
    """The engine could not do what was asked; the message says what, of which container or image, and the mend."""


class EngineUnavailableError(EngineError):
    """No engine answers, or it stopped answering."""


class ImageUnavailableError(EngineError):
    """None of the images that would do is present, and none could be pulled."""


class ShellMissingError(EngineError):
    """An image has no shell that could run the init."""


class ImageAccessDeniedError(ImageUnavailableError):
    """The image's registry wants other credentials than those of Docker's own configuration."""


class ImageNotFoundError(ImageUnavailableError):
    """The image's registry answers that it has no such image."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A host folder or file that a sandbox sees, read-only."""

    source: Path
    target: str
    fixed: bool = False
    """Its content never changes, so that sandboxes may share its files by other ways."""


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """All that an engine needs to make one sandbox."""

    name: str
    image: str
    handler: tuple[str, ...]
    """Arguments behind the image's entrypoint: the handler, for a managed runtime."""
    environment: Mapping[str, str]
    memory_mb: int
    runtime_host: str
    """The secret host name by which this sandbox alone reaches the Runtime API."""
    mounts: Sequence[Mount] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] | None = None
    """Instead of the image's own entrypoint. With () and no handler an OS-only function's bootstrap runs, or what is
    told later: `dress`."""
    working_directory: str | None = None
    tmp_mb: int = 512
    """Size of /tmp."""
    architecture: str = ""
    """x86_64 or arm64; "" is the engine's own."""
    ports: tuple[int, ...] = ()
    """TCP ports of the container that are this machine's too, on its loopback address alone."""
    scratch: Path | None = None
    """A folder of this machine that is the sandbox's alone, and is removed with it."""
    spare: bool = False
    """It waits for a function: what it runs is told later (`dress`), and before that it is nothing to keep."""


@dataclass(frozen=True, slots=True)
class SandboxExit:
    """How a sandbox's first process ended: its exit code, and whether the kernel killed for lack of memory."""

    code: int
    out_of_memory: bool
    message: str = ""


class SandboxListener(Protocol):
    """Hears of a sandbox; called on the sandbox's own output thread, in order, so it must not block."""

    def on_output(self, data: bytes) -> None:
        """Bytes that the runtime wrote (standard output and error, merged in order); never the init's own words."""
        ...

    def on_extension_output(self, data: bytes) -> None:
        """Bytes that an extension wrote; not in order with what the runtime writes."""
        ...

    def on_extension_found(self, name: str) -> None:
        """There is an external extension of that name: called for each before `on_extensions_told`."""
        ...

    def on_extensions_told(self) -> None:
        """`start` has found extensions, all told by now, and has started nothing: `start_extensions` does."""
        ...

    def on_extension_exit(self, name: str, code: int) -> None:
        """An extension ended by itself, or could not be started (126, 127); `code` as a shell tells it."""
        ...

    def on_runtime_unfit(self, program: str, code: int) -> None:
        """The runtime's program, "" when there is none, could not be executed; `on_runtime_exit` follows.

        `code` is the system's error, or what a shell tells: 126 for another machine's code, 127 for a missing
        interpreter.
        """
        ...

    def on_runtime_exit(self, code: int) -> None:
        """The runtime ended by itself; `code` as a shell tells it (128 + signal for a signal)."""
        ...

    def on_mark(self, mark: str, memory_peak_bytes: int) -> None:
        """All output written before `mark(...)` was called has been delivered; the peak is 0 when unknown."""
        ...

    def on_killed(self) -> None:
        """A `kill` is done: no process of the runtime or of an extension is left."""
        ...

    def on_exit(self, exit_: SandboxExit) -> None:
        """The container ended, whoever ended it; the last call."""
        ...


class Sandbox(Protocol):
    """One started container. Commands may be sent from any thread; each returns once it is handed over."""

    @property
    def id(self) -> str:
        """The engine's own id of the container."""
        ...

    def address(self) -> str:
        """The address at which its ports are reached from here. Raises EngineError. Blocks."""
        ...

    def start(self) -> None:
        """Start the runtime; where there are extensions, the listener hears of them, and nothing is started.

        Raises EngineError when the container is gone.
        """
        ...

    def start_extensions(self) -> None:
        """Start all external extensions. Raises EngineError when the container is gone."""
        ...

    def start_runtime(self) -> None:
        """Start the runtime. Raises EngineError when the container is gone."""
        ...

    def terminate_runtime(self) -> None:
        """Send SIGTERM to the runtime, if it runs. Raises EngineError when the container is gone."""
        ...

    def kill(self) -> None:
        """Kill every process but the init; answered by `on_killed`. Raises EngineError when the container is gone."""
        ...

    def mark(self, mark: str) -> None:
        """Ask for `on_mark` behind all output so far. Raises EngineError when the container is gone."""
        ...

    def connected(self, port: int) -> bool:
        """Whether a TCP connection to a port of the container is open; False when the engine does not tell. Blocks."""
        ...

    def resize(self, memory_mb: int) -> None:
        """Give it that much memory, and CPU in proportion. Blocks, 10 s at most. Raises EngineError."""
        ...

    def dress(self, setup: str, listener: SandboxListener) -> None:
        """Tell a sandbox what it runs, with which variables, and who listens from now on; before its first start.

        `setup` is a line for the init's shell (docker/init.sh). Raises EngineError when the container is gone.
        """
        ...

    def rename(self, name: str) -> None:
        """Give it another name by which users find it. Blocks, 10 s at most. Raises EngineError."""
        ...

    def destroy(self) -> None:
        """Kill and remove the container; safe to call twice, and on one that is gone. Blocks, 10 s at most."""
        ...


class Engine(Protocol):
    """A container engine. Every method may be called from any thread and blocks until done or its bound is over."""

    def ping(self) -> str:
        """The engine's name and version. Raises EngineUnavailableError."""
        ...

    def runtime_api_host(self) -> str:
        """The local address to bind for containers of this engine to reach (the bridge's, or loopback)."""
        ...

    def host_name(self) -> str:
        """What sandboxes call this machine: an address, or a name that they know. Raises EngineError."""
        ...

    def ensure_image(
        self, candidates: Sequence[str], on_progress: Callable[[str], None], architecture: str = ""
    ) -> str:
        """The first candidate that is present; else the first one that can be pulled; never pulls a present one.

        Calls at the same time for the same image share one pull. One of another `architecture` (x86_64,
        arm64) will not do. Raises ImageUnavailableError; with one candidate,
        ImageAccessDeniedError or ImageNotFoundError where its registry said so.
        """
        ...

    def bake(self, image: str, mounts: Sequence[Mount]) -> str:
        """The name of an image that holds the content of these folders too; made once. Raises EngineError, OSError."""
        ...

    def resolved_image(self, image: str) -> str:
        """A present image's name with the digest that its registry has for it; "" for one that has no registry."""
        ...

    def image_id(self, image: str) -> str:
        """The id that a present image's name stands for, as of when it was last made sure of. Raises EngineError."""
        ...

    def command(self, spec: SandboxSpec) -> list[str]:
        """What the init of such a sandbox runs as its runtime. Raises EngineError."""
        ...

    def check_mounts(self, image: str, mounts: Sequence[Mount]) -> None:
        """Have the engine look for folders of this machine. Raises EngineError when it does not see one of them."""
        ...

    def start_sandbox(self, spec: SandboxSpec, listener: SandboxListener) -> Sandbox:
        """Create and start a container with the init waiting; calls at the same time run side by side.

        Raises EngineError, and leaves no container behind then; ShellMissingError for one that is told later what it
        runs, where there is no shell for the init.
        """
        ...

    def sandbox_addresses(self) -> set[str]:
        """The addresses of all containers that carry this cloud's label, as they run now. Raises EngineError."""
        ...

    def sweep(self, *, keep: bool = False) -> int:
        """Remove all containers that carry this cloud's label, 5 s at most for all; how many there were.

        With `keep` those that the user wants to look at when they have ended are only ended.
        """
        ...

    def close(self) -> None:
        """Let go of connections. Containers stay: the caller destroys them first."""
        ...
