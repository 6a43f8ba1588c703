"""What an execution environment says, by its container and by its runtime, and the short way of an answer."""

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

import pykka

from relambda.actors.clock import Timer
from relambda.actors.engine.contract import EngineError, Sandbox, SandboxExit
from relambda.actors.environments.failures import Failure, invalid_entrypoint
from relambda.actors.environments.init_phase import InitPhase, Phase
from relambda.actors.environments.instance_messages import ExtensionFailed, ExtensionGone, Said
from relambda.actors.environments.mark_gate import MarkGate
from relambda.actors.environments.platform_events import PlatformEvents
from relambda.actors.environments.restoration import Restoration
from relambda.actors.environments.slot import Ended, Slot
from relambda.actors.invocation import Answer, Invocation, Outcome
from relambda.actors.logs.environment_log import EnvironmentLog
from relambda.actors.logs.lines import InitReport, Report, last_words
from relambda.actors.messages import InstanceIdle, InstanceResets
from relambda.actors.runtime_api.session import RuntimeEvent, RuntimeFailure
from relambda.actors.telemetry.subscription import Subscription
from relambda.actors.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    from relambda.actors.environments.instance import Instance

_log = logging.getLogger(__name__)


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
        self.telemetry = Telemetry(self._reach, instance.room.clock)
        self.events = PlatformEvents(self.log, self.telemetry, instance.resource, instance.version, instance.id)
        self.restoration = Restoration(self.slot, self.events)
        self.sandbox: Sandbox | None = None
        self.init = InitPhase()
        self.init_failure: Failure | None = None
        self.extension_names: list[str] = []
        self.exit_code = 0
        self.mark = ""
        self._began = self._init_ms = self._restore_ms = 0.0
        self._answer_began_ms, self._answered_ms = 0.0, 0.0
        self._timer: Timer | None = None
        self._answer: Answer | None = None
        self._held: tuple[Answer, Report] | None = None
        self._holding = threading.Lock()
        self._reported: Report | None = None
        self._started = self._idle = self._runtime_done = False
        self._gate = MarkGate()
        self._inits = 0
        self._ready: tuple[str, float] | None = None
        """The mark behind what an init wrote that has succeeded, and how long it took, until that mark comes."""
        self.finishing = False
        """Whether the caller has its answer, or is about to, and the runtime is about to ask for more."""

    def init_begins(self, phase: Phase) -> None:
        """Processes are about to start; called by the instance's actor."""
        if not self._started:
            self.log.init_starts()
        self._started, self.init_failure = True, None
        self.extension_names = []
        self.events.init_starts(phase)
        self.init.begin(phase)

    def init_fails(self, duration_ms: float, failure: Failure) -> None:
        """Processes that were started are not ready, and will not be; called by the instance's actor."""
        phase, status, error_type = self.init.phase, failure.status, failure.error_type
        self.events.extensions(self.instance.session.extensions())
        self.log.init_fails(InitReport(duration_ms, phase, status, error_type))
        self.events.runtime_init_done(phase, status, error_type)
        self.events.init_ends(phase, duration_ms, status, error_type)

    def begin(self, invocation: Invocation, timer: Timer) -> None:
        """An invocation is about to be handed over; called by the function's actor."""
        self._timer, self._idle, self._runtime_done, self._restore_ms = timer, False, False, 0.0
        self.finishing, self._answer_began_ms = False, 0.0
        invocation.cold_start_ms, self._init_ms = self._init_ms, 0.0
        self._began = time.monotonic()
        if invocation.trace is not None:
            invocation.trace.begins(invocation.cold_start_ms)
        self.log.starts(invocation.request_id, tail=invocation.tail)
        self.events.starts(invocation)

    def hand_over(self, event: RuntimeEvent) -> None:
        """Give the runtime its invocation, behind all that the one before wrote; called by the function's actor."""
        if self._gate.passes(event):
            self.instance.session.assign(event)

    def on_next(self) -> None:
        """The runtime asks for work."""
        if self.init.is_running:
            self.events.runtime_init_done(self.init.phase)
        elif self._answer is not None:
            self._runtime_done = True
            answer_ms = self._answer_began_ms or self._answered_ms, self._answered_ms
            self.events.runtime_done(self._report_of(self._answer), answer_ms)

    def on_idle(self) -> None:
        """The init is over, or the invocation is; with an answer that is held for its log, that tells when it goes."""
        if (took := self.init.end(succeeded=True)) is not None:
            if self.init.phase == "init":
                self._await_init_output(took)
            else:
                self._init_ended(took)
            return
        if self.restoration.is_running:
            self._restore_ms = self.restoration.end()
            return
        if self.slot.end() is None:
            return
        self._stop_timer()
        answer, self._answer = self._answer, None
        if answer is not None and self._log_end(answer):
            self._want_mark(answer)
        with self._holding:
            self._idle = True
            if self._held is not None:
                return
        self.tell_parent(InstanceIdle(self.instance))

    def on_extension_found(self, name: str) -> None:
        """There is an external extension."""
        self.extension_names.append(name)

    def on_extensions_told(self) -> None:
        """The external extensions are known, and wait to be started."""
        self._tell_actor(Said.EXTENSIONS_TOLD)

    def on_extensions_registered(self) -> None:
        """All external extensions have registered."""
        self._tell_actor(Said.EXTENSIONS_REGISTERED)

    def on_extension_error(self, name: str, phase: str, failure: RuntimeFailure) -> None:
        """An extension failed, and is about to exit."""
        _log.info("%s: the extension %s failed (%s): %s", self.instance.id, name, phase, failure.error_type)
        self._tell_actor(ExtensionFailed(name, "Extension.InitError" if phase == "init" else "Extension.ExitError"))

    def on_extension_exit(self, name: str, code: int) -> None:
        """An external extension ended."""
        self._tell_actor(ExtensionGone(name, code))

    def on_extension_output(self, data: bytes) -> None:
        """An extension wrote."""
        self.log.writes(data)
        self.events.extension_writes(data)

    def on_subscribed(self, subscription: Subscription) -> None:
        """An extension has subscribed to telemetry."""
        self.events.subscribed(subscription)

    def on_restore_ready(self) -> None:
        """The runtime has initialised; inside an invocation it goes on at once, as no snapshot is wanted then."""
        if self.init.phase == "invoke":
            self.instance.session.restore()
        elif (took := self.init.end(succeeded=True)) is not None:
            self.events.runtime_init_done("init")
            self.events.init_ends("init", took)
            self.restoration.is_awaited = True
            self.tell_parent(InstanceIdle(self.instance))

    def on_restore_error(self, failure: RuntimeFailure) -> None:
        """A hook of the function's failed, and the runtime exits next."""
        _log.info("%s: the restore failed: %s", self.instance.id, failure.error_type)
        self.restoration.fail("SnapStartException", "The afterRestore() runtime hook encountered an error.")

    def on_answer_begins(self) -> None:
        """The first byte of the function's answer is here; the rest may take its time."""
        self._answer_began_ms = self._elapsed_ms()

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
        self.events.function_writes(data)

    def on_runtime_unfit(self, program: str, code: int) -> None:
        """The runtime could not be executed; its exit is told next."""
        self.init_failure = invalid_entrypoint(program, code)

    def on_runtime_exit(self, code: int) -> None:
        """The runtime ended by itself."""
        self.exit_code = code
        self._tell_actor(Said.RUNTIME_EXITED)

    def on_killed(self) -> None:
        """All processes were killed, as the actor wanted; whatever they wrote is here."""
        self.log.marks(self.mark, 0)
        self._tell_actor(Said.KILLED)

    def on_exit(self, exit_: SandboxExit) -> None:
        """The container ended."""
        self.log.closes()
        self.exit_code = 137 if exit_.out_of_memory else exit_.code
        self._tell_actor(Said.SANDBOX_EXITED)

    def on_mark(self, mark: str, memory_peak_bytes: int) -> None:
        """All that the invocation wrote is here; its answer may be held for that, or the next invocation."""
        peak_bytes = self.log.told_peak(memory_peak_bytes)
        self.log.marks(mark, peak_bytes)
        self._release(mark, peak_bytes)

    def answer_without_mark(self, mark: str) -> None:
        """That mark did not come in time: what is held for it, an answer or the next invocation, goes on."""
        self._release(mark, 0)

    def shuts_down(self) -> None:
        """Processes are about to end: an init that waits for its mark leads to nothing."""
        with self._holding:
            self._ready = None

    def resets(self) -> None:
        """The environment is about to be reset. The function hears it before any caller, whose next invoke finds it."""
        self.tell_parent(InstanceResets(self.instance))

    def ready(self) -> None:
        """The environment is reset: the next invocation starts its processes."""
        self.tell_parent(InstanceIdle(self.instance))

    def fail(self, ended: Ended, failure: Failure) -> None:
        """End an invocation's log, and answer it if it has no answer, for a reason of the environment's own."""
        self._stop_timer()
        self._gate.clear()
        self.finishing = False
        invocation, self.mark = ended.invocation, ended.invocation.request_id
        report = self._report(invocation, failure.status, failure.error_type)
        now_ms = self.instance.room.clock.now_ms()
        words = last_words(now_ms, invocation.request_id, failure.error_type, failure.message)
        self.log.ends(report, last_words=words, marked=True)
        if not self._runtime_done:
            self.events.runtime_done(report)
        self.events.ends(report, self.log.peak_bytes(), words)
        tail = self.log.tail(report, last_words=words)
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.finish(tail)
        elif not ended.answered:
            invocation.finish(Outcome(failure.payload(invocation.request_id), invocation.version, "Unhandled", tail))

    def _answered(self, request_id: str, payload: bytes, failure: RuntimeFailure | None = None) -> None:
        """The log hears of the end before the caller does, so that the caller may read it.

        With extensions the end comes later, when all are done.
        """
        invocation = self.slot.take(request_id)
        if invocation is None:
            return
        if invocation.trace is not None:
            invocation.trace.answers(failure.cause if failure else "")
        answer = Answer(invocation, payload, failure)
        if self.instance.session.extended:
            self._answer, self._answered_ms = answer, self._elapsed_ms()
            if not invocation.tail:
                answer.finish()
            return
        marked = self._log_end(answer)
        self.finishing = True
        if not invocation.tail:
            answer.finish()
        if marked:
            self._want_mark(answer)

    def _log_end(self, answer: Answer) -> bool:
        """The invocation is over; whether a mark is wanted behind its output."""
        invocation, report = answer.invocation, self._report_of(answer)
        loud = self.log.is_loud
        marked = loud or self.log.wants_mark() or invocation.tail
        if loud:
            self._gate.shut(invocation.request_id)
        self.log.ends(report, marked=marked)
        if invocation.tail:
            self._held = (answer, report)
        if self.events.heard:
            if marked:
                self._reported = report
            else:
                self.events.ends(report, self.log.peak_bytes())
        return marked

    def _want_mark(self, answer: Answer) -> None:
        self.mark = answer.invocation.request_id
        self._tell_actor(Said.MARK_WANTED)

    def _await_init_output(self, took: float) -> None:
        """An environment is idle behind the mark in its output, so that no line of its init stands under START."""
        self._inits += 1
        self.mark = f"init-{self._inits}"
        with self._holding:
            self._ready = (self.mark, took)
        self._tell_actor(Said.MARK_WANTED)

    def _init_ended(self, took: float) -> None:
        self.events.extensions(self.instance.session.extensions())
        self.events.init_ends(self.init.phase, took)

    def _become_idle(self, mark: str) -> None:
        """The first invocation may come, if that mark is the one behind what the init wrote."""
        with self._holding:
            if self._ready is None or self._ready[0] != mark:
                return
            (_, took), self._ready = self._ready, None
        self._init_ended(took)
        self._init_ms = took
        self.tell_parent(InstanceIdle(self.instance))

    def _release(self, mark: str, peak_bytes: int) -> None:
        if self._ready is not None:
            self._become_idle(mark)
        event = self._gate.open(mark)
        if event is not None:
            self.instance.session.assign(event)
        with self._holding:
            reported, self._reported = self._reported, None
        if reported is not None:
            self.events.ends(reported, peak_bytes or self.log.peak_bytes())
        with self._holding:
            if self._held is None or self._held[0].invocation.request_id != mark:
                return
            held, self._held, idle = self._held, None, self._idle
        answer, report = held
        answer.finish(self.log.tail(report, peak_bytes=peak_bytes))
        if idle:
            self.tell_parent(InstanceIdle(self.instance))

    def _report_of(self, answer: Answer) -> Report:
        return self._report(answer.invocation, answer.status, answer.error_type, len(answer.payload))

    def _elapsed_ms(self) -> float:
        return (time.monotonic() - self._began) * 1000

    def _reach(self, port: int) -> tuple[str, int]:
        """Where the cloud reaches a port of the sandbox. Raises OSError."""
        if self.sandbox is None:
            raise OSError("the container has not started yet")
        try:
            return self.sandbox.address(), port
        except EngineError as error:
            raise OSError(str(error)) from error

    def _report(self, invocation: Invocation, status: str, error_type: str, produced_bytes: int = 0) -> Report:
        return Report(
            invocation.request_id,
            duration_ms=self._elapsed_ms(),
            init_ms=invocation.cold_start_ms,
            memory_mb=self.instance.version.config["MemorySize"],
            status=status,
            error_type=error_type,
            produced_bytes=produced_bytes,
            restore_ms=self._restore_ms,
            traced=None if invocation.trace is None else invocation.trace.told,
        )

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def tell_parent(self, message: object) -> None:
        """Tell the function something, if its actor has not ended."""
        try:
            self.parent.tell(message)
        except pykka.ActorDeadError:
            _log.debug("the function of instance %s has ended", self.instance.id)

    def _tell_actor(self, said: object) -> None:
        if self.actor is None:
            return
        try:
            self.actor.tell(said)
        except pykka.ActorDeadError:
            _log.debug("instance %s has ended", self.instance.id)
