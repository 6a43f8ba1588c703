"""Who listens to a sandbox that has no function yet."""

import logging
from collections.abc import Callable

from relambda.actors.engine.contract import SandboxExit

_log = logging.getLogger(__name__)


class SpareListener:
    """Implements `SandboxListener`: nothing is expected but that the container may end."""

    def __init__(self, on_lost: Callable[[], None]) -> None:
        self._on_lost = on_lost

    def on_output(self, data: bytes) -> None:
        """It should be silent."""
        _log.warning("a spare sandbox wrote: %r", data[:200])

    def on_extension_output(self, data: bytes) -> None:
        """No extension was started."""

    def on_extension_found(self, name: str) -> None:
        """None was looked for."""

    def on_extensions_told(self) -> None:
        """None was looked for."""

    def on_extension_exit(self, name: str, code: int) -> None:
        """No extension was started."""

    def on_runtime_unfit(self, program: str, code: int) -> None:
        """No runtime was started."""

    def on_runtime_exit(self, code: int) -> None:
        """No runtime was started."""

    def on_mark(self, mark: str, memory_peak_bytes: int) -> None:
        """No mark was asked for."""

    def on_killed(self) -> None:
        """Nobody killed."""

    def on_exit(self, exit_: SandboxExit) -> None:
        """It cannot be used any more."""
        del exit_
        self._on_lost()
