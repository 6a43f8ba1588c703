"""One invoke: what was asked, and the ticket on which the caller waits for what comes of it."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeAlias

from relambda.actors.runtime_api.session import RuntimeEvent, RuntimeFailure
from relambda.actors.traces.trace import Trace


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an invocation: the payload, and how the function failed if it did ("Unhandled")."""

    payload: bytes
    executed_version: str
    function_error: str = ""
    log_tail: bytes = b""
    """The last 4 KB of the invocation's log when it was asked for."""


Ticket: TypeAlias = "Future[Outcome]"


@dataclass(slots=True, eq=False)
class Invocation:
    """An invoke on its way. It ends once, by whoever comes first: answer, timeout, crash, refusal."""

    request_id: str
    qualifier: str | None
    payload: bytes
    tail: bool = False
    trace_id: str = ""
    client_context: str = ""
    tenant_id: str = ""
    ticket: Ticket = field(default_factory=Future)
    version: str = ""
    """The version that runs it, once that is known."""
    returns: int = 0
    """How often it was given to an environment whose runtime did not take it."""
    trace: Trace | None = None
    """Its trace, when that is recorded."""
    on_end: Callable[[], None] | None = None
    """Called once when it ends, before the caller hears of it."""
    _once: threading.Lock = field(default_factory=threading.Lock)

    def event(self, arn: str) -> RuntimeEvent:
        """It as the runtime gets it."""
        return RuntimeEvent(
            request_id=self.request_id,
            payload=self.payload,
            invoked_function_arn=arn,
            trace_id=self.trace_id,
            client_context=self.client_context,
            tenant_id=self.tenant_id,
        )

    def finish(self, outcome: Outcome) -> bool:
        """End with an outcome; False when it had ended before."""
        if not self._end():
            return False
        if self.trace is not None:
            self.trace.ends(failed=bool(outcome.function_error))
        self.ticket.set_result(outcome)
        return True

    def refuse(self, refusal: BaseException) -> bool:
        """End with a refusal; False when it had ended before."""
        if not self._end():
            return False
        self.ticket.set_exception(refusal)
        return True

    def _end(self) -> bool:
        if not self._once.acquire(blocking=False):
            return False
        if self.on_end is not None:
            self.on_end()
        return True


@dataclass(frozen=True, slots=True)
class Answer:
    """What the runtime answered to an invocation: a payload, which a `failure` describes if it is one."""

    invocation: Invocation
    payload: bytes
    failure: RuntimeFailure | None = None

    @property
    def status(self) -> str:
        """As the log and the Telemetry API tell it."""
        return "error" if self.failure else "success"

    @property
    def error_type(self) -> str:
        """What the runtime said, if anything, of what failed."""
        return self.failure.error_type if self.failure else ""

    def finish(self, log_tail: bytes = b"") -> None:
        """Give it to the invocation's caller."""
        error = "Unhandled" if self.failure else ""
        self.invocation.finish(Outcome(self.payload, self.invocation.version, error, log_tail))
