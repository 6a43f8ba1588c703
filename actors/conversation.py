"""What an execution environment says, by its container and by its runtime, and the short way of an answer."""

import enum
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

import pykka

from relambda.actors.clock import Timer
from relambda.actors.engine import SandboxExit
from relambda.actors.failures import Failure
from relambda.actors.invocation import Invocation, Outcome
from relambda.actors.log_environment import EnvironmentLog
from relambda.actors.log_lines import InitReport, Report, last_words
from relambda.actors.messages import InstanceIdle, InstanceResets
from relambda.actors.runtime_session import RuntimeFailure
from relambda.actors.slot import Slot

if TYPE_CHECKING:
    from relambda.actors.instance import Instance

_log = logging.getLogger(__name__)


class Said(enum.Enum):
    """What the instance's actor hears from its container."""

    RUNTIME_EXITED = enum.auto()
    RUNTIME_KILLED = enum.auto()
    SANDBOX_EXITED = enum.auto()
    MARK_WANTED = enum.auto()


class Conversation:
    """Listens to one container (SandboxListener), to its runtime and its extensions (EnvironmentListener).

    Answers go to the caller from the Runtime API's own thread; the function hears that the instance is idle right
    after that, or when its extensions are done too. All else becomes a message to the instance's actor.
    """

    def __init__(self, instance: "Instance", parent: "pykka.ActorRef[Any]") -> None:
        self.instance, self.parent = instance, parent
        self.actor: pykka.ActorRef[Any] | None = None
        self.slot = Slot()
        self.log = EnvironmentLog(instance.room.logs, instance.resource, instance.version, instance.room.new_id())
        self.initialising = True
        self.init_failure: Failure | None = None
        self.exit_code = 0
        self.mark = ""
        self._began = self._init_began = 0.0
        self._init_ms = 0.0
        self._timer: Timer | None = None
        self._held: tuple[Invocation, bytes, str, Report] | None = None
        self._holding = threading.Lock()
        self._idle = False

    def init_begins(self) -> None:
        """The runtime is about to start; called by the instance's actor."""
        if not self._init_began:
            self.log.init_starts()
        self.initialising, self.init_failure = True, None
        self._init_began = time.monotonic()

    def init_fails(self, failure: Failure) -> None:
        """The runtime will not become ready; called by the instance's actor."""
        duration_ms = (time.monotonic() - self._init_began) * 1000
        self.log.init_fails(InitReport(duration_ms, "init", failure.status, failure.error_type))

    def begin(self, invocation: Invocation, timer: Timer) -> None:
        """An invocation is about to be handed over; called by the function's actor."""
        self._timer, self._idle = timer, False
        invocation.cold_start_ms, self._init_ms = self._init_ms, 0.0
        self._began = time.monotonic()
        if invocation.trace is not None:
            invocation.trace.begins(invocation.cold_start_ms)
        self.log.starts(invocation.request_id, tail=invocation.tail)

    def on_next(self) -> None:
        """The runtime asks for work."""

    def on_idle(self) -> None:
        """The init is over, or the invocation is; with an answer that is held for its log, that tells when it goes."""
        if self.initialising:
            self.initialising = False
            self._init_ms = (time.monotonic() - self._init_began) * 1000
        with self._holding:
            self._idle = True
            if self._held is not None:
                return
        self._tell_parent(InstanceIdle(self.instance))

    def on_extensions_registered(self) -> None:
        """No external extension is started yet: those that register are threads of the runtime's."""

    def on_extension_error(self, name: str, phase: str, failure: RuntimeFailure) -> None:
        """An internal extension failed; its runtime tells what comes of it."""
        _log.info("%s: the extension %s failed (%s): %s", self.instance.id, name, phase, failure.error_type)

    def on_restore_ready(self) -> None:
        """Nothing is restored: `/runtime/restore/next` is not there."""

    def on_restore_error(self, failure: RuntimeFailure) -> None:
        """Nothing is restored."""

    def on_response(self, request_id: str, payload: bytes) -> None:
        """The function answered."""
        self._answered(request_id, payload)

    def on_error(self, request_id: str, failure: RuntimeFailure) -> None:
        """The function failed."""
        self._answered(request_id, failure.body, failure)

    def on_init_error(self, failure: RuntimeFailure) -> None:
        """The runtime could not start the function; it exits next."""
        self.init_failure = Failure(failure.error_type or "Runtime.Unknown", body=failure.body)

    def on_output(self, data: bytes) -> None:
        """The runtime wrote."""
        self.log.writes(data)

    def on_runtime_exit(self, code: int) -> None:
        """The runtime ended by itself."""
        self.exit_code = code
        self._tell_actor(Said.RUNTIME_EXITED)

    def on_killed(self) -> None:
        """The runtime was killed, as the actor wanted; whatever it wrote is here."""
        self.log.marks(self.mark, 0)
        self._tell_actor(Said.RUNTIME_KILLED)

    def on_exit(self, exit_: SandboxExit) -> None:
        """The container ended."""
        self.log.closes()
        self.exit_code = 137 if exit_.out_of_memory else exit_.code
        self._tell_actor(Said.SANDBOX_EXITED)

    def on_mark(self, mark: str, memory_peak_bytes: int) -> None:
        """All that the invocation wrote is here; its answer may be held for that."""
        self.log.marks(mark, memory_peak_bytes)
        self._release(mark, memory_peak_bytes)

    def answer_without_mark(self, mark: str) -> None:
        """That mark did not come in time: an answer that is held for it goes with what there is."""
        self._release(mark, 0)

    def fail(self, invocation: Invocation, failure: Failure, *, resets: bool = True) -> None:
        """End an invocation that was taken from the slot, for a reason of the environment's own.

        When the runtime `resets`, the function hears first, so that the caller's next invoke finds this instance on
        its way back.
        """
        self._stop_timer()
        if resets:
            self._tell_parent(InstanceResets(self.instance))
        self.mark = invocation.request_id
        report = self._report(invocation, failure.status, failure.error_type)
        now_ms = self.instance.room.clock.now_ms()
        words = last_words(now_ms, invocation.request_id, failure.error_type, failure.message)
        self.log.ends(report, last_words=words, marked=True)
        tail = self.log.tail(report, last_words=words)
        invocation.finish(Outcome(failure.payload(invocation.request_id), invocation.version, "Unhandled", tail))

    def _answered(self, request_id: str, payload: bytes, failure: RuntimeFailure | None = None) -> None:
        """The log hears before the caller does, so that the caller may read it."""
        invocation = self.slot.take(request_id)
        if invocation is None:
            return
        self._stop_timer()
        if invocation.trace is not None:
            invocation.trace.answers()
        status, error_type = ("error", failure.error_type) if failure else ("success", "")
        report = self._report(invocation, status, error_type, len(payload))
        marked = self.log.wants_mark() or invocation.tail
        self.log.ends(report, marked=marked)
        error = "Unhandled" if failure else ""
        if invocation.tail:
            self._held = (invocation, payload, error, report)
        else:
            invocation.finish(Outcome(payload, invocation.version, error))
        if marked:
            self.mark = request_id
            self._tell_actor(Said.MARK_WANTED)

    def _release(self, mark: str, peak_bytes: int) -> None:
        with self._holding:
            if self._held is None or self._held[0].request_id != mark:
                return
            held, self._held, idle = self._held, None, self._idle
        invocation, payload, error, report = held
        tail = self.log.tail(report, peak_bytes=peak_bytes)
        invocation.finish(Outcome(payload, invocation.version, error, tail))
        if idle:
            self._tell_parent(InstanceIdle(self.instance))

    def _report(self, invocation: Invocation, status: str, error_type: str, produced_bytes: int = 0) -> Report:
        return Report(
            invocation.request_id,
            duration_ms=(time.monotonic() - self._began) * 1000,
            init_ms=invocation.cold_start_ms,
            memory_mb=self.instance.version.config["MemorySize"],
            status=status,
            error_type=error_type,
            produced_bytes=produced_bytes,
            traced=None if invocation.trace is None else invocation.trace.told,
        )

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _tell_parent(self, message: object) -> None:
        try:
            self.parent.tell(message)
        except pykka.ActorDeadError:
            _log.debug("the function of instance %s has ended", self.instance.id)

    def _tell_actor(self, said: Said) -> None:
        if self.actor is None:
            return
        try:
            self.actor.tell(said)
        except pykka.ActorDeadError:
            _log.debug("instance %s has ended", self.instance.id)
