"""An engine with spare sandboxes: started ahead, so that a cold start has only its runtime to wait for."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final

from relambda.actors.engine.around import EngineAround
from relambda.actors.engine.contract import Engine, EngineError, Mount, Sandbox, SandboxListener, SandboxSpec
from relambda.actors.packages.packages import Packages
from relambda.actors.pool.spare import Shape, Spare, common_mounts, fits
from relambda.actors.pool.stock import Stock, end

_log = logging.getLogger(__name__)

_PATIENCE_SECONDS: Final = 1.0
"""So long a start tries one spare sandbox after the other; then it makes one of its own."""


class PooledEngine(EngineAround):
    """Implements `Engine` with another one, and keeps spare sandboxes of the images that were used last.

    `size` are kept of each image, more where that many were lately started in one go, `total` at most of all together
    (see `Demand`). They are started one at a time, while nobody waits for a start. `rename` lets a session of the
    Runtime API be found by another host name: a spare's own. `variables` are those that the user has set for all
    containers; they win over a function's own.
    """

    def __init__(
        self,
        engine: Engine,
        packages: Packages,
        rename: Callable[[str, str], None],
        variables: Mapping[str, str],
        *,
        size: int,
        total: int,
    ) -> None:
        self._engine, self._rename, self._variables = engine, rename, variables
        self._stock = Stock(engine, packages.scratch, size=size, total=total) if min(size, total) else None

    def expect(self, image: str, architecture: str, mounts: Sequence[Mount], memory_mb: int) -> None:
        """A function of this image is about to be used: have spare sandboxes for it. Raises EngineError."""
        if self._stock is not None:
            self._stock.expect(Shape(self._engine.image_id(image), architecture, common_mounts(mounts)), memory_mb)

    def start_sandbox(self, spec: SandboxSpec, listener: SandboxListener) -> Sandbox:
        """A spare sandbox that becomes what is asked for, or else a new one. Raises EngineError."""
        if self._stock is None:
            return self._engine.start_sandbox(spec, listener)
        with self._stock.noise():
            dressed = self._dressed(self._stock, spec, listener) if fits(spec) else None
            return dressed or self._engine.start_sandbox(spec, listener)

    def spares(self) -> int:
        """How many sandboxes wait."""
        return 0 if self._stock is None else self._stock.waiting()

    def _dressed(self, stock: Stock, spec: SandboxSpec, listener: SandboxListener) -> Sandbox | None:
        """A spare sandbox that has become what is asked for; None when there is none, or none could in time."""
        shape = Shape(self._engine.image_id(spec.image), spec.architecture, common_mounts(spec.mounts))
        stock.asked(shape, spec.memory_mb)
        given = {name: self._variables.get(name, value) for name, value in spec.environment.items()}
        spec, until = replace(spec, environment=given), time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until and (spare := stock.take(shape, spec.memory_mb)) is not None:
            if self._dress(stock, spare, spec, listener):
                stock.later(partial(_name, spare.sandbox, spec.name))
                return spare.sandbox
            stock.later(partial(end, spare))
        return None

    def _dress(self, stock: Stock, spare: Spare, spec: SandboxSpec, listener: SandboxListener) -> bool:
        """Whether a spare sandbox has become what is asked for; else nothing of the function has run in it."""
        try:
            self._rename(spec.runtime_host, spare.host)
        except KeyError:
            stock.later(partial(end, spare))
            raise EngineError(f"{spec.name} was given up before it had a container") from None
        try:
            spare.dress(spec, self._engine.command(spec), listener)
        except (EngineError, OSError) as error:
            _log.warning("a spare sandbox of %s could not be used: %s", spec.image, error)
            with suppress(KeyError):
                self._rename(spare.host, spec.runtime_host)
            return False
        return True

    def sweep(self, *, keep: bool = False) -> int:
        """Keep no spare sandboxes any more, then remove or end all containers that carry this cloud's label."""
        if self._stock is not None:
            self._stock.stop()
        return self._engine.sweep(keep=keep)

    def close(self) -> None:
        """Let go of connections."""
        self._engine.close()

    def _found(self) -> Engine:
        return self._engine


def _name(sandbox: Sandbox, name: str) -> None:
    """The name by which users find a function's container; one that is gone already needs none."""
    try:
        sandbox.rename(name)
    except EngineError as error:
        _log.debug("%s", error)
