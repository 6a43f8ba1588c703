"""What an execution environment says, by its container and by its runtime, and the short way of an answer."""

import logging
from typing import TYPE_CHECKING, Any, Final

import pykka

from relambda.actors.engine.contract import EngineError, Sandbox, SandboxExit
from relambda.actors.environments.endings import Endings
from relambda.actors.environments.failures import Failure, invalid_entrypoint
from relambda.actors.environments.init_phase import InitPhase, Phase
from relambda.actors.environments.instance_messages import ExtensionFailed, ExtensionGone, MarkWanted, Said
from relambda.actors.environments.platform_events import PlatformEvents
from relambda.actors.environments.restoration import Restoration
from relambda.actors.environments.run import Run
from relambda.actors.environments.slot import Ended, Slot
from relambda.actors.invocation import Answer, Invocation
from relambda.actors.logs.environment_log import EnvironmentLog
from relambda.actors.logs.lines import InitReport
from relambda.actors.messages import InstanceIdle, InstanceResets, Undelivered
from relambda.actors.runtime_api.session import RuntimeFailure
from relambda.actors.telemetry.subscription import Subscription
from relambda.actors.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    from relambda.actors.environments.instance import Instance

_log = logging.getLogger(__name__)
MAX_RETURNS: Final = 3
"""How often an invocation may have been given to an environment whose runtime did not take it."""


class Conversation:
    """Listens to one container (SandboxListener), to its runtime and its extensions (EnvironmentListener).

    Answers go to the caller from the Runtime API's own thread; the function hears that the instance is idle right
    after that, or when its extensions are done too. All else becomes a message to the instance's actor.

    What the runtime and the extensions say comes under the session's lock, from the Runtime API's threads and from
    whoever hands over; what the container says, from its output thread; the other methods tell who calls them.
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
        self.endings = Endings(
            self.log, self.events, instance.room.clock, lambda mark: self._tell_actor(MarkWanted(mark)), self._free
        )
        self.lives = False
        """Whether anything has come from the container since its actor last asked something of it."""
        self.usable = False
        """Whether the function has heard that an invocation may come."""
        self.finishing = False
        """Whether the caller has its answer, or is about to, and the runtime is about to ask for more."""
        self._init_ms = self._restore_ms = 0.0
        self._answered: Run | None = None
        """The run that is answered, until its runtime asks for more."""
        self._started = False

    def init_begins(self, phase: Phase) -> None:
        """Processes are about to start; called by the instance's actor."""
        if not self._started:
            self.log.init_starts()
        self._started, self.init_failure, self.lives = True, None, False
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

    def on_delivery(self, request_id: str) -> int | None:
        """The runtime gets its invocation: its time begins. Or it had begun with the processes: the function calls."""
        run = self.slot.begin(request_id)
        if run is None:
            return None
        if run.began is None:
            self._begin(run)
        return run.deadline_ms

    def _begin(self, run: Run) -> None:
        run.begin(self.instance.room.clock.now_ms(), self._init_ms, self._restore_ms)
        self._init_ms = self._restore_ms = 0.0
        self.log.starts(run.request_id, tail=run.invocation.tail)
        self.events.starts(run.invocation)

    def on_next(self) -> None:
        """The runtime asks for work."""
        if self.init.is_running:
            self.events.runtime_init_done(self.init.phase)
            return
        run, self._answered = self._answered, None
        if run is None:
            return
        run.runtime_done = True
        if self.instance.session.extended:
            answer_ms = run.answer_began_ms or run.answered_ms, run.answered_ms
            self.events.runtime_done(run.report(), answer_ms)
        else:
            run.stop_timer()

    def on_idle(self) -> None:
        """The init is over, or the invocation is; with an answer that is held for its log, that tells when it goes."""
        if (took := self.init.end(succeeded=True)) is not None:
            if self.init.phase == "init":
                self._tell_actor(MarkWanted(self.init.awaits_output(took)))
            else:
                self._init_ended(took)
        elif self.restoration.is_running:
            self._restore_ms = self.restoration.end()
        elif (run := self.slot.end()) is not None and run.answer is not None:
            self.finishing = True
            if run.runtime_done:
                run.stop_timer()
            if self.endings.ended(run, run.answer, self.instance.session):
                self._free()

    def _init_ended(self, took_ms: float) -> None:
        self.events.extensions(self.instance.session.extensions())
        self.events.init_ends(self.init.phase, took_ms)

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
            self._free()

    def on_restore_error(self, failure: RuntimeFailure) -> None:
        """A hook of the function's failed, and the runtime exits next."""
        _log.info("%s: the restore failed: %s", self.instance.id, failure.error_type)
        self.restoration.fail("SnapStartException", "The afterRestore() runtime hook encountered an error.")

    def on_answer_begins(self) -> None:
        """The first byte of the function's answer is here; the rest may take its time."""
        if (run := self.slot.running()) is not None:
            run.answer_began_ms = run.elapsed_ms

    def on_response(self, request_id: str, payload: bytes) -> None:
        """The function answered."""
        self._answers(request_id, payload)

    def on_error(self, request_id: str, failure: RuntimeFailure) -> None:
        """The function failed."""
        self._answers(request_id, failure.body, failure)

    def on_init_error(self, failure: RuntimeFailure) -> None:
        """The runtime could not start the function; it exits next."""
        self.init_failure = Failure(failure.error_type or "Runtime.Unknown", body=failure.body)

    def on_output(self, data: bytes) -> None:
        """The runtime wrote."""
        self.lives = True
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
        self.endings.killed()
        self._tell_actor(Said.KILLED)

    def on_exit(self, exit_: SandboxExit) -> None:
        """The container ended."""
        self.log.closes()
        self.exit_code = 137 if exit_.out_of_memory else exit_.code
        self._tell_actor(Said.SANDBOX_EXITED)

    def on_mark(self, mark: str, memory_peak_bytes: int) -> None:
        """All that the invocation wrote is here; its answer may be held for that, or the next invocation."""
        self.lives = True
        peak_bytes = self.log.told_peak(memory_peak_bytes)
        self.log.marks(mark, peak_bytes)
        self._release(mark, peak_bytes)

    def on_no_mark(self, mark: str) -> None:
        """That mark did not come in time; a timer's thread calls."""
        self._release(mark, 0)

    def _release(self, mark: str, peak_bytes: int) -> None:
        """An environment is idle behind a mark in its output, so that no line of its init stands under START."""
        if (took_ms := self.init.written(mark)) is None:
            self.endings.release(mark, peak_bytes, self.instance.session)
        else:
            self._init_ended(took_ms)
            self._init_ms = took_ms
            self._free()

    def resets(self) -> None:
        """The environment is about to be reset: the function hears of it before any caller does.

        So a caller's next invoke finds this instance on its way back.
        """
        self.finishing = False
        self.tell_parent(InstanceResets(self.instance))

    def ready(self) -> None:
        """The environment is reset: the next invocation starts its processes."""
        self._free()

    def run_of(self, request_id: str) -> Run | None:
        """That run, while it is under way, or its runtime has not asked for more since it was answered."""
        answered = self._answered
        if answered is not None and answered.request_id == request_id:
            return answered
        return self.slot.running(request_id)

    def forget_answered(self) -> None:
        """The runtime that answered is no more; its actor calls."""
        run, self._answered = self._answered, None
        if run is not None:
            run.stop_timer()

    def end_running(self, failure: Failure, ended: Ended | None = None, *, may_return: bool = True) -> None:
        """End what runs, if anything does, for a reason of the environment's own; its actor calls.

        An invocation that no runtime has had goes back to the function, if it `may_return`; any other one fails.
        """
        ended = ended or self.slot.clear()
        if ended is None:
            return
        ended.run.stop_timer()
        if not (may_return and ended.waited and self._give_back(ended.run.invocation)):
            if ended.run.began is None:
                self._begin(ended.run)
            self.endings.failed(ended, failure)

    def _give_back(self, invocation: Invocation) -> bool:
        invocation.returns += 1
        return invocation.returns <= MAX_RETURNS and self.tell_parent(Undelivered(invocation))

    def _answers(self, request_id: str, payload: bytes, failure: RuntimeFailure | None = None) -> None:
        """With extensions a caller who does not want the log hears of it at once; else when the log has its end."""
        run = self.slot.take(request_id)
        if run is None:
            return
        answer = Answer(run.invocation, payload, failure)
        run.answers(answer)
        self._answered = run
        ended_meanwhile = self.slot.running(request_id) is not run
        if ended_meanwhile or (self.instance.session.extended and not run.invocation.tail):
            answer.finish()

    def _reach(self, port: int) -> tuple[str, int]:
        """Where the cloud reaches a port of the sandbox. Raises OSError."""
        if self.sandbox is None:
            raise OSError("the container has not started yet")
        try:
            return self.sandbox.address(), port
        except EngineError as error:
            raise OSError(str(error)) from error

    def _free(self) -> None:
        self.usable = True
        self.tell_parent(InstanceIdle(self.instance))

    def tell_parent(self, message: object) -> bool:
        """Tell the function something; False when its actor has ended."""
        try:
            self.parent.tell(message)
        except pykka.ActorDeadError:
            _log.debug("the function of instance %s has ended", self.instance.id)
            return False
        return True

    def _tell_actor(self, said: object) -> None:
        if self.actor is None:
            return
        try:
            self.actor.tell(said)
        except pykka.ActorDeadError:
            _log.debug("instance %s has ended", self.instance.id)
