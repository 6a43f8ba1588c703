"""Who listens to a sandbox that has no function yet."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from relambda.actors.engine.contract import SandboxExit

_log = logging.getLogger(__name__)

MARK: Final = "alive"
"""What a spare sandbox is asked to say."""


class SpareListener:
    """Implements `SandboxListener`: it expects an answer when one is asked for, and that the container may end."""

    def __init__(self, on_lost: Callable[[], None]) -> None:
        self.lost = False
        """Whether the container has ended."""
        self._on_lost = on_lost
        self._heard = threading.Event()

    def answers(self, seconds: float) -> bool:
        """Whether the sandbox says what it was asked to, within that time."""
        return self._heard.wait(seconds) and not self.lost

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
        """It lives."""
        del mark, memory_peak_bytes
        self._heard.set()

    def on_killed(self) -> None:
        """Nobody killed."""

    def on_exit(self, exit_: SandboxExit) -> None:
        """It cannot be used any more."""
        del exit_
        self.lost = True
        self._heard.set()
        self._on_lost()
