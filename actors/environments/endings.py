"""The end of an environment's invocations: in its log, for its subscribers, and for the caller who wants the log."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from relambda.actors.clock import Clock
from relambda.actors.environments.failures import Failure
from relambda.actors.environments.platform_events import PlatformEvents
from relambda.actors.environments.run import Run
from relambda.actors.environments.slot import Ended
from relambda.actors.invocation import Answer, Outcome
from relambda.actors.logs.environment_log import EnvironmentLog
from relambda.actors.logs.lines import Report, last_words
from relambda.actors.runtime_api.session import Session


@dataclass(frozen=True, slots=True)
class _Held:
    """What waits for the mark behind all that an invocation wrote."""

    report: Report
    told: bool
    """Whether subscribers hear of its end then."""
    answer: Answer | None
    """The answer, if its caller wants the log."""


class Endings:
    """Ends one run at a time: the next one is not handed over, or not even assigned, while something is held.

    `ended` is for the Runtime API's thread, which holds the session's lock, `failed` for the instance's actor;
    `release` comes on any thread that holds no lock.
    """

    def __init__(
        self,
        log: EnvironmentLog,
        events: PlatformEvents,
        clock: Clock,
        want_mark: Callable[[str], None],
        on_free: Callable[[], None],
    ) -> None:
        """`want_mark` has `release` called with a mark, soon; `on_free` hears when an answer goes that was held."""
        self._log, self._events, self._clock = log, events, clock
        self._want_mark, self._on_free = want_mark, on_free
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._failed = ""

    def ended(self, run: Run, answer: Answer, session: Session) -> bool:
        """A run is over; the log hears of it before its caller does. False when the answer waits for the log.

        The next run of an environment that writes is handed over behind a mark in its output, so that no line
        stands under another one, and subscribers hear of the end of one before they hear of the start of the next.
        """
        report, tail = run.report(), run.invocation.tail
        loud = self._log.is_loud
        marked = loud or tail or self._log.wants_mark()
        heard = self._events.heard
        told = marked and heard
        if loud or told:
            session.hold(run.request_id)
        self._log.ends(report, marked=marked)
        if told or tail:
            with self._lock:
                self._held = _Held(report, told, answer if tail else None)
        if heard and not told:
            self._events.ends(report, self._log.peak_bytes())
        if not tail:
            answer.finish()
        if marked:
            self._want_mark(run.request_id)
        return not tail

    def release(self, mark: str, peak_bytes: int, session: Session) -> None:
        """All that was written before that mark is here, or is not waited for any longer: what is held goes on.

        `peak_bytes` is the most memory used, 0 if unknown.
        """
        held = self._take(mark)
        if held is not None and held.told:
            self._events.ends(held.report, peak_bytes or self._log.peak_bytes())
        session.release(mark)
        if held is not None and held.answer is not None:
            held.answer.finish(self._log.tail(held.report, peak_bytes=peak_bytes))
            self._on_free()

    def release_all(self, session: Session) -> None:
        """No mark will come any more."""
        with self._lock:
            mark = "" if self._held is None else self._held.report.request_id
        self.release(mark, 0, session)

    def _take(self, mark: str) -> _Held | None:
        with self._lock:
            if self._held is None or self._held.report.request_id != mark:
                return None
            held, self._held = self._held, None
            return held

    def failed(self, ended: Ended, failure: Failure) -> None:
        """The environment ends a run for a reason of its own, and answers it if it has no answer."""
        run, invocation = ended.run, ended.run.invocation
        self._failed = run.request_id
        report = run.report_of(failure.status, failure.error_type)
        words = last_words(self._clock.now_ms(), run.request_id, failure.error_type, failure.words)
        self._log.ends(report, last_words=words, marked=True)
        if not run.runtime_done:
            self._events.runtime_done(report)
        self._events.ends(report, self._log.peak_bytes(), words)
        tail = self._log.tail(report, last_words=words)
        if run.answer is not None:
            run.answer.finish(tail)
        elif not ended.answered:
            invocation.finish(Outcome(failure.payload(run.request_id), invocation.version, "Unhandled", tail))

    def killed(self) -> None:
        """All processes are gone: whatever the run that failed wrote is here."""
        self._log.marks(self._failed, 0)
