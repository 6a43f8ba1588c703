"""An engine with spare sandboxes: started ahead, so that a cold start has only its runtime to wait for."""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from relambda.actors.engine.around import EngineAround
from relambda.actors.engine.contract import Engine, EngineError, Mount, Sandbox, SandboxListener, SandboxSpec
from relambda.actors.packages.packages import Packages
from relambda.actors.pool.demand import Demand
from relambda.actors.pool.listener import SpareListener
from relambda.actors.pool.spare import CODE, Shape, Spare, code_folder, common_mounts, fits

_log = logging.getLogger(__name__)

_QUIET_SECONDS: Final = 0.3
_BACK_OFF_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 10.0


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
        self._engine, self._packages, self._rename, self._variables = engine, packages, rename, variables
        self._size = min(size, total)
        self._changed = threading.Condition()
        self._demand = Demand(size, total)
        self._spares: dict[Shape, list[Spare]] = {}
        self._starting = 0
        self._quiet_from = 0.0
        self._stopped = False
        self._filler = threading.Thread(target=self._fill, name="sandbox-pool", daemon=True)
        if self._size:
            self._filler.start()

    def expect(self, image: str, architecture: str, mounts: Sequence[Mount], memory_mb: int) -> None:
        """A function of this image is about to be used: have spare sandboxes for it. Raises EngineError."""
        if self._size:
            shape = Shape(self._engine.image_id(image), architecture, common_mounts(mounts))
            with self._changed:
                self._demand.expect(shape, memory_mb)
                self._changed.notify_all()

    def start_sandbox(self, spec: SandboxSpec, listener: SandboxListener) -> Sandbox:
        """A spare sandbox that becomes what is asked for, or else a new one. Raises EngineError."""
        if not self._size:
            return self._engine.start_sandbox(spec, listener)
        with self._changed:
            self._starting += 1
        try:
            return self._spare(spec, listener) or self._engine.start_sandbox(spec, listener)
        finally:
            with self._changed:
                self._starting -= 1
                self._quiet_from = time.monotonic() + _QUIET_SECONDS
                self._changed.notify_all()

    def spares(self) -> int:
        """How many sandboxes wait."""
        with self._changed:
            return sum(map(len, self._spares.values()))

    def _spare(self, spec: SandboxSpec, listener: SandboxListener) -> Sandbox | None:
        """A spare sandbox that has become what is asked for; None when there is none, or none could."""
        if not fits(spec):
            return None
        shape = Shape(self._engine.image_id(spec.image), spec.architecture, common_mounts(spec.mounts))
        with self._changed:
            self._demand.started(shape, spec.memory_mb, time.monotonic())
        given = {name: self._variables.get(name, value) for name, value in spec.environment.items()}
        spec = replace(spec, environment=given)
        while (spare := self._take(shape, spec.memory_mb)) is not None:
            self._rename_for(spec, spare)
            try:
                spare.dress(spec, self._engine.command(spec), listener)
            except (EngineError, OSError) as error:
                _log.info("a spare sandbox of %s could not be used: %s", spec.image, error)
                with suppress(KeyError):
                    self._rename(spare.host, spec.runtime_host)
                _discard([spare])
            else:
                return spare.sandbox
        return None

    def _rename_for(self, spec: SandboxSpec, spare: Spare) -> None:
        try:
            self._rename(spec.runtime_host, spare.host)
        except KeyError:
            _discard([spare])
            raise EngineError(f"{spec.name} was given up before it had a container") from None

    def _take(self, shape: Shape, memory_mb: int) -> Spare | None:
        """One with as much memory rather than one that has to be given it."""
        with self._changed:
            spares = self._spares.get(shape) or []
            best = next((spare for spare in spares if spare.memory_mb == memory_mb), spares[0] if spares else None)
            if best is not None:
                spares.remove(best)
            return best

    def _fill(self) -> None:
        """The filler's thread: ends what is too much, starts what is lacking, one at a time, in quiet times."""
        while not self._stopped:
            surplus, shape, memory_mb = self._work()
            _discard(surplus)
            try:
                if shape is not None:
                    self._add(shape, memory_mb)
            except (EngineError, OSError) as error:
                _log.warning("no spare sandbox of %s: %s", shape and shape.image, error)
                with self._changed:
                    self._changed.wait_for(lambda: self._stopped, _BACK_OFF_SECONDS)

    def _work(self) -> tuple[list[Spare], Shape | None, int]:
        """Wait for quiet, and for what to end then, or the shape and memory of one more to start."""
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                noise = self._quiet_from - now
                if self._starting or noise > 0:
                    self._changed.wait(None if self._starting else noise)
                    continue
                targets = self._demand.targets(now)
                if surplus := self._take_surplus(targets):
                    return surplus, None, 0
                for shape, target in targets.items():
                    if len(self._spares.get(shape, ())) < target:
                        return [], shape, self._demand.memory_mb(shape)
                self._changed.wait(self._demand.falls_in(now))
        return [], None, 0

    def _take_surplus(self, targets: Mapping[Shape, int]) -> list[Spare]:
        surplus = list[Spare]()
        for shape, spares in list(self._spares.items()):
            target = targets.get(shape, 0)
            surplus += spares[target:]
            del spares[target:]
            if not target:
                del self._spares[shape]
        return surplus

    def _add(self, shape: Shape, memory_mb: int) -> None:
        host, folder = secrets.token_hex(16), self._packages.scratch()
        for target in CODE:
            code_folder(folder, target).mkdir(mode=0o755)
        own = [Mount(code_folder(folder, target), target) for target in CODE]
        spec = SandboxSpec(
            name=f"relambda-spare-{host[:12]}",
            image=shape.image,
            architecture=shape.architecture,
            entrypoint=(),
            handler=(),
            environment={},
            memory_mb=memory_mb,
            runtime_host=host,
            mounts=[*shape.common, *own],
            labels={"relambda.spare": shape.image},
            scratch=folder,
        )
        sandbox = self._engine.start_sandbox(spec, SpareListener(lambda: self._lost(host)))
        spare = Spare(sandbox, host, folder, memory_mb)
        with self._changed:
            kept = not self._stopped
            if kept:
                self._spares.setdefault(shape, []).append(spare)
        if not kept:
            _discard([spare])

    def _lost(self, host: str) -> None:
        """A waiting sandbox ended: somebody else removed its container."""
        with self._changed:
            for spares in self._spares.values():
                spares[:] = [spare for spare in spares if spare.host != host]
            self._changed.notify_all()

    def sweep(self) -> int:
        """Stop keeping spare sandboxes, then remove all containers that carry this cloud's label."""
        with self._changed:
            self._stopped = True
            self._spares.clear()
            self._changed.notify_all()
        if self._size:
            self._filler.join(_STOP_SECONDS)
        return self._engine.sweep()

    def close(self) -> None:
        """Let go of connections."""
        self._engine.close()

    def _found(self) -> Engine:
        return self._engine


def _discard(spares: Sequence[Spare]) -> None:
    for spare in spares:
        try:
            spare.sandbox.destroy()
        except EngineError as error:
            _log.warning("a spare sandbox may be left over until the cloud starts again: %s", error)
