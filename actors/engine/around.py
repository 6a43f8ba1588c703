"""An engine around another one: what is not its own affair, the other one does."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from relambda.actors.engine.contract import Engine, Mount, Sandbox, SandboxListener, SandboxSpec


class EngineAround(ABC):
    """Implements all of `Engine` but `close` with the engine that `_found` gives."""

    @abstractmethod
    def _found(self) -> Engine:
        """The engine inside."""

    def ping(self) -> str:
        """The engine's name and version."""
        return self._found().ping()

    def runtime_api_host(self) -> str:
        """The local address to bind for containers of this engine to reach."""
        return self._found().runtime_api_host()

    def host_name(self) -> str:
        """What sandboxes call this machine."""
        return self._found().host_name()

    def ensure_image(
        self, candidates: Sequence[str], on_progress: Callable[[str], None], architecture: str = ""
    ) -> str:
        """The first candidate that is present, or could be pulled."""
        return self._found().ensure_image(candidates, on_progress, architecture)

    def bake(self, image: str, mounts: Sequence[Mount]) -> str:
        """An image that holds these folders too."""
        return self._found().bake(image, mounts)

    def resolved_image(self, image: str) -> str:
        """A present image's name with its digest."""
        return self._found().resolved_image(image)

    def image_id(self, image: str) -> str:
        """The id that an image's name stands for."""
        return self._found().image_id(image)

    def command(self, spec: SandboxSpec) -> list[str]:
        """What the init of a sandbox runs as its runtime."""
        return self._found().command(spec)

    def check_mounts(self, image: str, mounts: Sequence[Mount]) -> None:
        """Have the engine look for folders of this machine."""
        self._found().check_mounts(image, mounts)

    def start_sandbox(self, spec: SandboxSpec, listener: SandboxListener) -> Sandbox:
        """Create and start a container with the init waiting."""
        return self._found().start_sandbox(spec, listener)

    def sandbox_addresses(self) -> set[str]:
        """The addresses of all of this cloud's containers."""
        return self._found().sandbox_addresses()

    def sweep(self, *, keep: bool = False) -> int:
        """Remove all containers that carry this cloud's label, or end those that the user wants to keep."""
        return self._found().sweep(keep=keep)
