"""One invocation on its way through an execution environment: its time, its answer, its figures."""

import time
from dataclasses import dataclass

from relambda.actors.clock import Timer
from relambda.actors.invocation import Answer, Invocation
from relambda.actors.logs.lines import Report


@dataclass(slots=True, eq=False)
class Run:
    """One thread has it at a time: the function's until it begins, then the Runtime API's, or whoever ends it.

    The slot decides who that is. Its time begins when the runtime gets it, or with the processes that are started
    for it; what it waits for before that is no time of its own.
    """

    invocation: Invocation
    seconds: float
    """The function's timeout."""
    memory_mb: int
    timer: Timer | None = None
    began: float | None = None
    """Monotonic."""
    deadline_ms: int = 0
    init_ms: float = 0.0
    restore_ms: float = 0.0
    answer: Answer | None = None
    answer_began_ms: float = 0.0
    answered_ms: float = 0.0
    runtime_done: bool = False
    """Whether the runtime has asked for more since its answer."""
    is_patient: bool = False
    """Whether it has waited for its runtime for as long as its timeout, and waits a while longer."""

    @property
    def request_id(self) -> str:
        """The invocation's."""
        return self.invocation.request_id

    def begin(self, now_ms: int, init_ms: float, restore_ms: float) -> None:
        """Its time begins; `init_ms` and `restore_ms` are what its environment took for it before."""
        self.init_ms, self.restore_ms = init_ms, restore_ms
        self.deadline_ms = now_ms + int(self.seconds * 1000)
        if self.invocation.trace is not None:
            self.invocation.trace.begins(init_ms)
        self.began = time.monotonic()

    @property
    def elapsed_ms(self) -> float:
        """How long it has run, 0 before it begins."""
        return 0.0 if self.began is None else (time.monotonic() - self.began) * 1000

    @property
    def seconds_left(self) -> float:
        """Until its timeout."""
        return self.seconds - self.elapsed_ms / 1000

    def answers(self, answer: Answer) -> None:
        """The runtime has answered."""
        if self.invocation.trace is not None:
            self.invocation.trace.answers(answer.failure.cause if answer.failure else "")
        self.answer, self.answered_ms = answer, self.elapsed_ms

    def report(self) -> Report:
        """Its figures by now, with what was answered."""
        answer = self.answer
        if answer is None:
            return self.report_of("success", "")
        return self.report_of(answer.status, answer.error_type, len(answer.payload))

    def report_of(self, status: str, error_type: str, produced_bytes: int = 0) -> Report:
        """Its figures by now."""
        trace = self.invocation.trace
        return Report(
            self.request_id,
            duration_ms=self.elapsed_ms,
            init_ms=self.init_ms,
            memory_mb=self.memory_mb,
            status=status,
            error_type=error_type,
            produced_bytes=produced_bytes,
            restore_ms=self.restore_ms,
            traced=None if trace is None else trace.told,
        )

    def stop_timer(self) -> None:
        """Its timeout is of no interest any more; safe to repeat."""
        timer, self.timer = self.timer, None
        if timer is not None:
            timer.cancel()
