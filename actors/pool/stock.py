"""The spare sandboxes that wait, and the thread that starts, names and ends them while nobody waits for a start."""

import logging
import secrets
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from relambda.actors.engine.contract import Engine, EngineError, Mount, SandboxSpec, ShellMissingError
from relambda.actors.pool.demand import Demand
from relambda.actors.pool.listener import SpareListener
from relambda.actors.pool.spare import CODE, Shape, Spare, code_folder

_log = logging.getLogger(__name__)

QUIET_SECONDS: Final = 0.3
PAUSES: Final = (0.5, 2.0, 8.0, 30.0)
"""Seconds of rest after the first trouble, the next one, and so on; trouble is forgotten after a minute without."""
_FORGOTTEN_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 10.0
_ENDERS: Final = 16

Job: TypeAlias = Callable[[], None]


class Stock:
    """Keeps as many spare sandboxes as `Demand` says, and does what else can wait for a quiet time. Any thread.

    What goes wrong is logged, and followed by a rest that grows; the thread goes on until `stop`.
    """

    def __init__(self, engine: Engine, scratch: Callable[[], Path], *, size: int, total: int) -> None:
        """`scratch` makes a folder that a spare sandbox may have for itself."""
        self._engine, self._scratch = engine, scratch
        self._changed = threading.Condition()
        self._demand = Demand(size, total)
        self._spares: dict[Shape, list[Spare]] = {}
        self._later = deque[Job]()
        self._hopeless: set[str] = set()
        """Ids of images without a shell: no sandbox of them can wait."""
        self._starting = 0
        self._quiet_from = 0.0
        self._troubles, self._troubled_at = 0, 0.0
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="sandbox-pool", daemon=True)
        self._thread.start()

    def expect(self, shape: Shape, memory_mb: int) -> None:
        """A function of this shape is about to be used."""
        with self._changed:
            if shape.image not in self._hopeless:
                self._demand.expect(shape, memory_mb)
                self._changed.notify_all()

    @contextmanager
    def noise(self) -> Iterator[None]:
        """Somebody waits for a start: nothing else is done until it is over, and a little longer."""
        with self._changed:
            self._starting += 1
        try:
            yield
        finally:
            with self._changed:
                self._starting -= 1
                self._quiet_from = time.monotonic() + QUIET_SECONDS
                self._changed.notify_all()

    def asked(self, shape: Shape, memory_mb: int) -> None:
        """A start asks for one, or for several one after the other if the first are of no use."""
        with self._changed:
            if shape.image not in self._hopeless:
                self._demand.started(shape, memory_mb, time.monotonic())

    def take(self, shape: Shape, memory_mb: int) -> Spare | None:
        """One with as much memory rather than one that has to be given it; None when there is none."""
        with self._changed:
            spares = [spare for spare in self._spares.get(shape, ()) if not spare.listener.lost]
            best = next((spare for spare in spares if spare.memory_mb == memory_mb), spares[0] if spares else None)
            if best is not None:
                self._spares[shape].remove(best)
            return best

    def later(self, job: Job) -> None:
        """Do something in a quiet time. There is at most one such thing for each spare sandbox that was started."""
        with self._changed:
            self._later.append(job)
            self._changed.notify_all()

    def waiting(self) -> int:
        """How many sandboxes wait."""
        with self._changed:
            return sum(map(len, self._spares.values()))

    def stop(self) -> None:
        """End the thread, do what waited for a quiet time, and end all spare sandboxes; 20 s at most, mostly none."""
        until = time.monotonic() + _STOP_SECONDS
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join(_STOP_SECONDS)
        with self._changed:
            left = [spare for spares in self._spares.values() for spare in spares]
            self._spares.clear()
        while self._later and time.monotonic() < until:
            _guarded(self._later.popleft())
        with ThreadPoolExecutor(_ENDERS, thread_name_prefix="sandbox-pool-end") as enders:
            list(enders.map(end, left))

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except (EngineError, OSError) as error:
                _log.warning("no spare sandbox: %s", error)
                self._rest()
            except Exception:  # noqa: BLE001 - a defect must not leave the cloud without spare sandboxes
                _log.exception("the pool of spare sandboxes failed, and goes on")
                self._rest()

    def _rest(self) -> None:
        """Not at once again: a little at first, longer each time while there is no end of it."""
        now = time.monotonic()
        self._troubles = 0 if now - self._troubled_at > _FORGOTTEN_SECONDS else self._troubles + 1
        pause = PAUSES[min(self._troubles, len(PAUSES) - 1)]
        with self._changed:
            self._changed.wait_for(lambda: self._stopped, pause)
        self._troubled_at = time.monotonic()

    def _next(self) -> Job | None:
        """Wait for quiet, and for something to do then; None when stopped."""
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                noise = self._quiet_from - now
                if self._starting or noise > 0:
                    self._changed.wait(None if self._starting else noise)
                elif (job := self._job(now)) is not None:
                    return job
                else:
                    self._changed.wait(self._demand.falls_in(now))
        return None

    def _job(self, now: float) -> Job | None:
        if self._later:
            return self._later.popleft()
        if lost := self._take_lost():
            return partial(self._bury, lost)
        targets = self._demand.targets(now)
        if surplus := self._take_surplus(targets):
            return partial(_end_all, surplus)
        for shape, target in targets.items():
            if len(self._spares.get(shape, ())) < target:
                return partial(self._add, shape, self._demand.memory_mb(shape))
        return None

    def _take_lost(self) -> list[Spare]:
        lost = [spare for spares in self._spares.values() for spare in spares if spare.listener.lost]
        for spares in self._spares.values():
            spares[:] = [spare for spare in spares if spare not in lost]
        return lost

    def _take_surplus(self, targets: Mapping[Shape, int]) -> list[Spare]:
        surplus = list[Spare]()
        for shape, spares in list(self._spares.items()):
            surplus += spares[targets.get(shape, 0) :]
            del spares[targets.get(shape, 0) :]
            if not spares:
                del self._spares[shape]
        return surplus

    def _add(self, shape: Shape, memory_mb: int) -> None:
        spare = self._start(shape, memory_mb)
        if spare is None:
            return
        with self._changed:
            kept = not self._stopped
            if kept:
                self._spares.setdefault(shape, []).append(spare)
        if not kept:
            end(spare)

    def _start(self, shape: Shape, memory_mb: int) -> Spare | None:
        """Start one; None when there can be none of its image. One that does not start leaves no folder."""
        host, folder, listener = secrets.token_hex(16), self._scratch(), SpareListener(self._hear)
        try:
            spec = _spec(shape, host, folder, memory_mb)
            return Spare(self._engine.start_sandbox(spec, listener), listener, host, folder, memory_mb)
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if not isinstance(error, ShellMissingError):
                raise
        _log.info("the image %s has no shell: no container of it can wait for its functions", shape.image)
        with self._changed:
            self._hopeless.add(shape.image)
            self._demand.forget(shape)
        return None

    def _hear(self) -> None:
        """A sandbox has ended; on its own thread."""
        with self._changed:
            self._changed.notify_all()

    def _bury(self, lost: Sequence[Spare]) -> None:
        """Somebody else ended or removed them, or they ended by themselves; others follow after a rest."""
        for spare in lost:
            _log.warning("the spare container %s ended by itself; another one takes its place", spare.sandbox.id[:12])
            end(spare)
        self._rest()


def _spec(shape: Shape, host: str, folder: Path, memory_mb: int) -> SandboxSpec:
    for target in CODE:
        code_folder(folder, target).mkdir(mode=0o755)
    return SandboxSpec(
        name=f"relambda-spare-{host[:12]}",
        image=shape.image,
        architecture=shape.architecture,
        entrypoint=(),
        handler=(),
        environment={},
        memory_mb=memory_mb,
        runtime_host=host,
        mounts=[*shape.common, *(Mount(code_folder(folder, target), target) for target in CODE)],
        labels={"relambda.spare": shape.image},
        scratch=folder,
        spare=True,
    )


def end(spare: Spare) -> None:
    """Remove a spare sandbox, whatever has become of it."""
    try:
        spare.sandbox.destroy()
    except EngineError as error:
        _log.warning("a spare sandbox may be left over until the cloud starts again: %s", error)


def _end_all(spares: Sequence[Spare]) -> None:
    for spare in spares:
        end(spare)


def _guarded(job: Job) -> None:
    try:
        job()
    except Exception:  # noqa: BLE001 - the cloud is about to end
        _log.exception("the pool of spare sandboxes failed")
