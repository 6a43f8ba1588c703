"""What has taken as long as it may: a run its timeout, a runtime its way back, a restore its hooks."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from relambda.actors.engine.contract import Sandbox
from relambda.actors.environments import failures, phases
from relambda.actors.environments.failures import Failure
from relambda.actors.environments.init_phase import Phase
from relambda.actors.environments.instance_messages import InitTimedOut, StartSilent, TimedOut
from relambda.actors.environments.run import Run
from relambda.actors.environments.slot import Ended
from relambda.actors.runtime_api.session import ShutdownReason

if TYPE_CHECKING:
    from relambda.actors.environments.instance import Instance

_log = logging.getLogger(__name__)
Break: TypeAlias = Callable[[Failure, ShutdownReason, Ended | None], None]
_TOLERANCE_SECONDS: Final = 0.001


class Deadlines:
    """One environment's, on its actor's thread. `break_` ends what runs, and all processes."""

    def __init__(self, instance: "Instance", break_: Break) -> None:
        self._instance, self._break = instance, break_
        self._conversation = instance.conversation

    @property
    def init_seconds(self) -> float:
        """How long the init phase may take."""
        if self._instance.version.snap_started:
            return max(phases.SNAPSHOT_SECONDS, self._instance.timeout)
        return min(phases.INIT_SECONDS, self._instance.room.options.environment_timeout)

    def init_begins(self, phase: Phase, starts: int) -> None:
        """Processes are started, so many times by now: be told what is late of it."""
        after, tell = self._instance.room.scheduler.after, self._instance.tell
        after(phases.ANSWER_SECONDS, lambda: tell(StartSilent(starts)))
        if phase == "init":
            after(self.init_seconds, lambda: tell(InitTimedOut(starts)))

    def timed_out(self, request_id: str) -> None:
        """The timeout of a run is over, counted from its assignment; its own time may have begun later."""
        run = self._conversation.run_of(request_id)
        if run is None:
            return
        if run.began is None:
            self._waits(run)
        elif (left := run.seconds_left) > _TOLERANCE_SECONDS:
            self._look_again(run, left)
        elif (ended := self._conversation.slot.clear(request_id)) is not None:
            self._break(failures.timed_out(run.seconds), "timeout", ended)
        else:
            self._does_not_ask(run)

    def restore_timed_out(self, request_id: str) -> None:
        """The runtime's hooks take too long."""
        conversation = self._conversation
        if conversation.restoration.is_running and conversation.slot.running(request_id) is not None:
            why = "Lambda couldn't restore the snapshot within the timeout limit."
            conversation.restoration.fail("SnapStartTimeoutException", why)
            self._break(failures.restore_timed_out(), "timeout", None)

    def hangs(self, sandbox: Sandbox | None, why: str) -> Failure:
        """A container does not do what it was told; what its invocation hears of that."""
        _log.warning(
            "%s: the container %s hangs, %s: it is removed, and another one takes its place. If it was not paused "
            "(`docker ps -a`), look at the load of this machine and the engine's own log",
            self._of(),
            sandbox.id[:12] if sandbox else "",
            why,
        )
        return failures.sandbox_failed(why)

    def _waits(self, run: Run) -> None:
        """No runtime has taken the run yet. Whatever else it may wait for, a mark or a restore, has its own bound."""
        if not run.is_patient or self._conversation.restoration.is_running:
            run.is_patient = True
            self._look_again(run, phases.MARK_SECONDS)
        elif (ended := self._conversation.slot.withdraw(run.request_id)) is not None:
            _log.warning("%s: its runtime has asked for work and did not take it; it is started anew", self._of())
            self._break(failures.timed_out(run.seconds), "timeout", ended)
        else:
            self._look_again(run, run.seconds)

    def _does_not_ask(self, run: Run) -> None:
        """On AWS an invocation ends when its runtime has asked for the next one (FACTS.md section 4)."""
        _log.warning(
            "%s: its runtime answered %s, and did not ask for more within the timeout of %g s; it is started anew",
            self._of(),
            run.request_id,
            run.seconds,
        )
        self._break(failures.timed_out(run.seconds), "timeout", None)

    def _of(self) -> str:
        return self._instance.resource.arn()

    def _look_again(self, run: Run, seconds: float) -> None:
        late = TimedOut(run.request_id)
        run.timer = self._instance.room.scheduler.after(seconds, lambda: self._instance.tell(late))
