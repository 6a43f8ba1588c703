"""One cloud, opened: the composition of store, actors and engine, and what resources ask of it."""

import logging
import secrets
import shutil
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from relambda.actors.clock import SystemClock
from relambda.actors.codec import event_types
from relambda.actors.domain.decider import Command
from relambda.actors.domain.limits import Limits
from relambda.actors.domain.names import ResourceName
from relambda.actors.environments.debugging import Debugging
from relambda.actors.hot_reload.folder import Roots
from relambda.actors.invocation import Invocation, Outcome
from relambda.actors.logs.writer import LogWriter
from relambda.actors.traces.sink import TraceSink
from relambda.api.cloud_file import own_version
from relambda.api.code_storage import CodeStorage
from relambda.api.logs.live_tail import LiveTails
from relambda.api.network.doors import Doors
from relambda.api.network.injection import Injection
from relambda.api.records import Records
from relambda.api.settings.settings import Settings
from relambda.api.tenure import Tenure
from relambda.api.views import Views
from relambda.snapshots.archive import Readable
from relambda.snapshots.export import PodPlan, plan_pod
from relambda.snapshots.load import LoadedPod, load_pod
from relambda.store.blobs import Blobs
from relambda.store.interface import Store
from relambda.store.lock import StateLock
from relambda.store.state_dir import StateDirectory

_log = logging.getLogger(__name__)
MARGIN_SECONDS = 10.0


class ImportConflictError(Exception):
    """Raised when a snapshot would replace what is there and that was not asked for, or another import runs."""


class Cloud:
    """Holds the state directory while it is open. Resources may use it from any thread."""

    def __init__(
        self, settings: Settings, directory: StateDirectory, lock: StateLock, doors: Doors | None = None
    ) -> None:
        self.settings, self.directory, self._lock = settings, directory, lock
        self.clock = SystemClock()
        self.limits = limits_of(settings)
        self.secret = secrets.token_bytes(32)
        self.cloud_id = _cloud_id(settings.state_dir)
        self._importing = threading.Lock()
        self._records = Records.open(settings, directory)
        self.live_tails = LiveTails(self._records.logs.store.feed, self.clock)
        self.injection: Injection | None = None
        try:
            self.injection = Injection(doors, settings, settings.state_dir) if doors else None
            self._tenure = self._begin()
        except BaseException:
            self._stop_injection()
            self._records.close()
            raise

    @classmethod
    def open(cls, settings: Settings, doors: Doors | None = None) -> "Cloud":
        """Open the state directory and start the actors; a missing engine is warned of. Raises StoreError, OSError."""
        settings.state_dir.mkdir(parents=True, exist_ok=True)
        directory = StateDirectory(settings.state_dir)
        lock = StateLock(directory.lock_path)
        lock.acquire()
        try:
            directory.discard_unadopted()
            return cls(settings, directory, lock, doors)
        except BaseException:
            lock.release()
            raise

    @property
    def store(self) -> Store:
        """The log and views of now; an import puts others in their place."""
        return self._tenure.store

    @property
    def views(self) -> Views:
        """Reads of now."""
        return self._tenure.views

    @property
    def logs(self) -> LogWriter:
        """Function logs."""
        return self._records.logs

    @property
    def traces(self) -> TraceSink:
        """Traces."""
        return self._records.traces

    @property
    def blobs(self) -> Blobs:
        """Packages."""
        return self._tenure.blobs

    @property
    def hot_reload(self) -> Roots:
        """Which folders may be mounted as code."""
        return self._tenure.room.hot_reload.roots

    @property
    def code_storage(self) -> CodeStorage:
        """The quota of code."""
        return self._tenure.code_storage

    @property
    def debugging(self) -> Debugging:
        """Which functions are debugged."""
        return self._tenure.room.debugging

    def sandbox_addresses(self) -> set[str]:
        """The addresses of functions' containers. Raises EngineError."""
        return self._tenure.room.engine.sandbox_addresses()

    def new_id(self) -> str:
        """A fresh id."""
        return str(uuid.uuid4())

    def ask(self, command: Command) -> Any:
        """Have a command decided; the state it leads to, durable. Raises Refusal."""
        return self._tenure.system.ask(command)

    def invoke(self, function: ResourceName, invocation: Invocation) -> Outcome:
        """Run an invocation and wait for what comes of it. Raises Refusal."""
        ticket = self._tenure.system.invoke(function, invocation)
        return ticket.result(900 + self.settings.runtime_environment_timeout + MARGIN_SECONDS)

    def await_end(self, execution: ResourceName, execution_id: str, seconds: float) -> Any:
        """Wait for the end of a durable execution; its state. Raises Refusal, TimeoutError."""
        return self._tenure.system.await_end(execution, execution_id, seconds)

    def wait_for(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is so, looking every few milliseconds; whether it came to be."""
        until = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > until:
                return False
            time.sleep(0.005)
        return True

    def health(self) -> dict[str, Any]:
        """What `GET /_relambda/health` answers."""
        return {
            "status": "running",
            "services": {"lambda": "running"},
            "edition": "relambda",
            "version": own_version(),
            "cloud": self.cloud_id,
            "engine": self._tenure.engine_name(),
            "position": self.store.head(),
            "invocations": self._tenure.room.concurrency.running(),
        }

    def export(self) -> PodPlan:
        """A pod of this moment: its size, and its chunks."""
        return plan_pod(self.store, self.blobs)

    def import_(self, source: Readable, *, replace: bool) -> dict[str, Any]:
        """Verify a pod and go on with it in the place of what is there, which is kept as the one backup.

        Raises PodRefusedError or ImportConflictError, with the cloud as it was.
        """
        _check_empty(self.store.head(), replace=replace)
        if not self._importing.acquire(blocking=False):
            raise ImportConflictError("Another snapshot is being imported; try again when it is done.")
        try:
            loaded = load_pod(source, self.directory, self.blobs, event_types())
            self._swap(loaded, replace=replace)
        finally:
            self._importing.release()
        backup = self.directory.previous()
        return {
            "events": loaded.manifest.events.count,
            "blobs": loaded.manifest.blobs.count,
            "absent_blobs": loaded.manifest.blobs.absent,
            "backup": None if backup is None else str(backup),
        }

    def _swap(self, loaded: LoadedPod, *, replace: bool) -> None:
        """End this tenure, adopt the generation, begin the next; what was written meanwhile is not run over unasked."""
        try:
            _check_empty(self._tenure.end(MARGIN_SECONDS), replace=replace)
            self.directory.adopt(loaded.generation)
        except BaseException:
            shutil.rmtree(loaded.generation, ignore_errors=True)
            raise
        finally:
            self._tenure = self._begin()

    def _begin(self) -> Tenure:
        return Tenure.begin(
            self.settings, self.limits, self.directory, self.cloud_id, self.clock, self._records, self.injection
        )

    def drain(self) -> None:
        """A stop waits for the requests that run: end those that would go on for hours. For a signal's handler."""
        self.live_tails.stop()

    def close(self, timeout: float) -> None:
        """Drain what runs, remove all containers, close the store, let go of the state directory."""
        self.drain()
        self._tenure.end(timeout)
        self._stop_injection()
        self._records.close()
        self._lock.release()

    def _stop_injection(self) -> None:
        if self.injection is not None:
            self.injection.stop()


def _check_empty(head: int, *, replace: bool) -> None:
    if head and not replace:
        raise ImportConflictError(
            f"This cloud holds {head} events; import with --replace to put the snapshot in their place "
            "(what is there now is kept as a backup generation)."
        )


def limits_of(settings: Settings) -> Limits:
    """The quotas that the options set."""
    return Limits(
        concurrent_executions=settings.limit_concurrent_executions,
        minimum_unreserved_concurrency=settings.limit_minimum_unreserved_concurrency,
        total_code_size=settings.limit_total_code_size,
        code_size_zipped=settings.limit_code_size_zipped,
        code_size_unzipped=settings.limit_code_size_unzipped,
        create_function_request_size=settings.limit_create_function_request_size,
        environment_size=settings.limit_function_envvar_size_bytes,
        payload_size=settings.limit_function_payload_size_bytes,
        runtime_validation=settings.runtime_validation,
    )


def _cloud_id(state_dir: Path) -> str:
    """The id that labels this cloud's containers; it stays with the state directory."""
    path = state_dir / "cloud-id"
    if not path.exists():
        path.write_text(uuid.uuid4().hex)
    return path.read_text().strip()
