"""The actor that owns one container, for what takes time or goes wrong: start, init, timeout, exit, reset, end."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pykka

from relambda.actors.engine.contract import EngineError, Sandbox
from relambda.actors.environments import failures, phases
from relambda.actors.environments.deadlines import Deadlines
from relambda.actors.environments.extension_watch import ExtensionWatch
from relambda.actors.environments.failures import KILLED, Failure
from relambda.actors.environments.init_phase import Phase
from relambda.actors.environments.instance_messages import (
    ExtensionFailed,
    ExtensionGone,
    ExtensionOverdue,
    InitTimedOut,
    MarkWanted,
    Reload,
    RestoreTimedOut,
    Resume,
    Said,
    ShutdownLate,
    Start,
    StartSilent,
    Stop,
    TimedOut,
)
from relambda.actors.environments.instance_spec import sandbox_spec
from relambda.actors.environments.shutdown import Shutdown, Step
from relambda.actors.environments.slot import Ended
from relambda.actors.messages import InstanceGone
from relambda.actors.runtime_api.session import RuntimeEvent, ShutdownReason

if TYPE_CHECKING:
    from relambda.actors.environments.instance import Instance

_log = logging.getLogger(__name__)


class InstanceActor(pykka.ThreadingActor):
    """Owns one container and blocks on the engine so that nobody else has to."""

    use_daemon_thread = True

    def __init__(self, instance: "Instance", parent: "pykka.ActorRef[Any]") -> None:
        super().__init__()
        self.instance, self.parent = instance, parent
        self.room, self.conversation = instance.room, instance.conversation
        self.sandbox: Sandbox | None = None
        self.failure: Failure | None = None
        self._starts = 0
        self._shutdown: Shutdown | None = None
        self._runtime_runs = self._reloading = self._stopping = self._ended = False
        self._extensions = ExtensionWatch(instance, self._break)
        self._deadlines = Deadlines(instance, self._break)

    def on_receive(self, message: object) -> None:
        """Handle one message; what comes after the end is of no use any more."""
        if self._ended:
            return
        match message:
            case Start():
                self._start()
            case Resume(event):
                self._resume(event)
            case Reload():
                self._reload()
            case Stop():
                self._stop()
            case MarkWanted(mark):
                self._mark(mark)
            case Said() | ExtensionFailed() | ExtensionGone():
                self._hear(message)
            case _:
                self._late(message)

    def _late(self, message: object) -> None:
        """What has taken as long as it may."""
        match message:
            case TimedOut(request_id):
                self._deadlines.timed_out(request_id)
            case RestoreTimedOut(request_id):
                self._deadlines.restore_timed_out(request_id)
            case StartSilent(starts) if starts == self._starts:
                self._start_silent()
            case InitTimedOut(starts) if starts == self._starts:
                self._init_timed_out()
            case ExtensionOverdue(name, starts) if starts == self._starts:
                self._extension_gone(name, 0)
            case ShutdownLate(shutdown, step) if shutdown is self._shutdown:
                self._shutdown_late(shutdown, step)

    def _hear(self, message: object) -> None:
        """What the container, the runtime and the extensions say."""
        match message:
            case Said.EXTENSIONS_TOLD if self._shutdown is None:
                self._start_extensions()
            case Said.EXTENSIONS_REGISTERED if self._shutdown is None and not self._runtime_runs:
                self._runtime_runs = True
                self._command(lambda sandbox: sandbox.start_runtime())
            case Said.RUNTIME_EXITED:
                self._runtime_exited(self.conversation.exit_code)
            case ExtensionFailed(name, error_type):
                self._extensions.failed(name, error_type)
            case ExtensionGone(name, code):
                self._extension_gone(name, code)
            case Said.KILLED:
                self._killed()
            case Said.SANDBOX_EXITED:
                self._sandbox_exited(self.conversation.exit_code)

    def _start(self) -> None:
        began = time.monotonic()
        try:
            self.sandbox = self.room.engine.start_sandbox(sandbox_spec(self.instance), self.conversation)
        except (EngineError, OSError) as error:
            self._has_no_container(error)
            return
        self.conversation.sandbox = self.sandbox
        self.conversation.log.container(self.sandbox.id)
        _log.debug("container of %s started in %.0f ms", self.instance.id, (time.monotonic() - began) * 1000)
        self.instance.load_code()
        self._begin_init("init")

    def _has_no_container(self, error: Exception) -> None:
        _log.warning("no container for %s: %s", self.instance.resource.arn(), error)
        self._give_up(failures.sandbox_failed(str(error)))

    def _begin_init(self, phase: Phase) -> None:
        self._starts += 1
        self._deadlines.init_begins(phase, self._starts)
        self._extensions.begin(self._starts)
        self.conversation.init_begins(phase)
        self._runtime_runs = True
        self._command(_start_and_ask)

    def _resume(self, event: RuntimeEvent) -> None:
        """A suppressed init: the invocation's own timeout is its bound, and the event waits in the session for it."""
        self._begin_init("invoke")
        self.instance.session.assign(event)

    def _start_extensions(self) -> None:
        self._runtime_runs = False
        try:
            self.instance.session.expect_extensions(self.conversation.extension_names)
        except ValueError as error:
            self._break(failures.too_many_extensions(str(error)), "failure")
            return
        self._command(lambda sandbox: sandbox.start_extensions())

    def _runtime_exited(self, code: int) -> None:
        self._runtime_runs = False
        if self._shutdown is not None:
            self._shutdown.runtime_exited()
        else:
            self._break(self.conversation.init_failure or failures.exited(code), "failure")

    def _extension_gone(self, name: str, code: int) -> None:
        if self._shutdown is not None:
            self._shutdown.extension_exited(name)
        else:
            self._extensions.gone(name, code)

    def _init_timed_out(self) -> None:
        failure = failures.init_timed_out(self._deadlines.init_seconds)
        if self._init_fails(failure):
            self._reset(failure, "timeout", init_failed=True)

    def _init_fails(self, failure: Failure) -> bool:
        """The init, if one runs, comes to nothing; False when there is none, or it has just succeeded."""
        took = self.conversation.init.end(succeeded=False)
        if took is None:
            return False
        self.conversation.init_fails(took, failure)
        return True

    def _break(self, failure: Failure, reason: ShutdownReason, ended: Ended | None = None) -> None:
        """The environment cannot go on."""
        if self._shutdown is None:
            self._reset(failure, reason, ended, init_failed=self._init_fails(failure))

    def _reset(
        self, failure: Failure, reason: ShutdownReason, ended: Ended | None = None, *, init_failed: bool
    ) -> None:
        """Fail what runs, and end all processes. The container and its /tmp stay.

        What fails in the init phase fails no invocation: the processes start again inside the first one. But it
        leaves nothing to take a snapshot of.
        """
        if init_failed and self.conversation.init.phase == "init" and self.instance.version.snap_started:
            self._give_up(failure)
            return
        self.conversation.slot.shut()
        self.conversation.resets()
        self.conversation.end_running(failure, ended)
        self._shut_down(reason)

    def _shut_down(self, reason: ShutdownReason) -> None:
        shutdown = Shutdown(reason, self.instance.session, self.room.clock.now_ms, self._wait, self._kill)
        self._shutdown = shutdown
        self.conversation.init.shuts_down()
        if self.instance.session.extended:
            self.conversation.telemetry.flush(phases.FLUSH_SECONDS)
        shutdown.begin(self._terminate if self._runtime_runs else None)

    def _terminate(self) -> None:
        self._command(lambda sandbox: sandbox.terminate_runtime())

    def _wait(self, seconds: float, step: Step) -> None:
        assert self._shutdown is not None
        late = ShutdownLate(self._shutdown, step)
        self.room.scheduler.after(seconds, lambda: self.instance.tell(late))

    def _kill(self) -> None:
        if self._stopping:
            self._end()
        else:
            self._command(lambda sandbox: sandbox.kill())
            self._wait_for_kill()
            self.instance.load_code()

    def _wait_for_kill(self) -> None:
        self.conversation.lives = False
        self._wait(phases.KILL_SECONDS, Step.NOTHING)

    def _shutdown_late(self, shutdown: Shutdown, step: Step) -> None:
        if step is Step.NOTHING and self.conversation.lives:
            self._wait_for_kill()  # what was written before stands before the answer, and still comes
        elif step is Step.NOTHING:
            why = f"its processes did not end within {phases.KILL_SECONDS:.0f} s"
            self._give_up(self._deadlines.hangs(self.sandbox, why))
        else:
            shutdown.late(step)

    def _start_silent(self) -> None:
        if self.conversation.init.is_running and not self.conversation.lives:
            why = f"it did not answer its start within {phases.ANSWER_SECONDS:.0f} s"
            self._give_up(self._deadlines.hangs(self.sandbox, why))

    def _killed(self) -> None:
        """All processes are gone: the next invocation starts them, or a reload at once; nothing does after a stop."""
        if self._stopping:
            self._end()
            return
        self._shutdown, self._runtime_runs = None, False
        self.instance.session.reset()
        self.conversation.forget_answered()
        self.conversation.init.undo()
        self.conversation.slot.open()
        if self._reloading:
            self._reloading = False
            self._begin_init("init")
        else:
            self.conversation.ready()

    def _reload(self) -> None:
        """A runtime that is about to start, or has just started, found the changed code or is asked for again."""
        if not self.conversation.init.is_running:
            self._reloading = True
            if self._shutdown is None:
                self._shut_down("spindown")

    def _sandbox_exited(self, code: int) -> None:
        """The container ended by itself or by somebody else; before the runtime was ready, that is why it failed."""
        failure = self.conversation.init_failure or failures.exited(code)
        if self._init_fails(failure):
            self._give_up(failure)
        else:
            self._end()

    def _mark(self, mark: str) -> None:
        self.room.scheduler.after(phases.MARK_SECONDS, lambda: self.conversation.on_no_mark(mark))
        self._command(lambda sandbox: sandbox.mark(mark))

    def _command(self, command: Callable[[Sandbox], None]) -> None:
        if self.sandbox is None:
            return
        try:
            command(self.sandbox)
        except EngineError as error:
            _log.info("instance %s: %s", self.instance.id, error)
            self._give_up(failures.sandbox_failed(str(error)))

    def _give_up(self, failure: Failure) -> None:
        self.failure = failure
        self._end()

    def _stop(self) -> None:
        """Fail what still runs, and shut down; a shutdown that is under way comes to this end too."""
        self._stopping = True
        self.conversation.slot.shut()
        self.conversation.end_running(failures.exited(KILLED), may_return=False)
        if self._shutdown is None:
            self._shut_down("spindown")

    def _end(self) -> None:
        """Fail what still runs, destroy the container, tell the function, stop. Once."""
        if self._ended:
            return
        self._ended = True
        if self.instance.hot is not None:
            self.instance.hot.close()
        self.conversation.slot.shut()
        failure = self.failure or failures.exited(self.conversation.exit_code or KILLED)
        self.conversation.end_running(failure, may_return=not self._stopping)
        self.conversation.endings.release_all(self.instance.session)
        self.conversation.forget_answered()
        self._destroy()
        self.instance.session.close()
        try:
            self.conversation.telemetry.stop(phases.FLUSH_SECONDS)
        except TimeoutError as error:
            _log.warning("instance %s: %s", self.instance.id, error)
        self.conversation.tell_parent(InstanceGone(self.instance, self._never_ready()))
        if self.actor_ref.is_alive():
            self.stop()

    def _never_ready(self) -> Failure | None:
        """Why no invocation could ever come, if none could: whoever waits for the first one hears of it."""
        if self.conversation.usable or self._stopping:
            return None
        return self.failure or failures.sandbox_failed("its container ended before its runtime was ready")

    def _destroy(self) -> None:
        """The function must hear of the end even when the engine does not remove the container."""
        try:
            if self.sandbox is not None:
                self.sandbox.destroy()
            self.instance.trees.release()
        except EngineError:
            _log.exception("a container of %s may be left over until the cloud starts again", self.instance.id)

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        """Leave no container behind, whatever went wrong."""
        _log.error("instance %s failed", self.instance.id, exc_info=(exception_type, exception_value, traceback))
        self.failure = failures.sandbox_failed(str(exception_value))
        self._end()


def _start_and_ask(sandbox: Sandbox) -> None:
    """A mark behind the start: an init that does not answer it hangs."""
    sandbox.start()
    sandbox.mark("start")
