"""Asynchronous invocations of a function: accepted, tried, tried again, done with.

One stream per function, beside the function's own, holds them: what is accepted is in the log, so it outlives the
process, and it is run at least once. Sources: FACTS.md section 5, "Async"; Developer Guide, "How Lambda handles errors
and retries with asynchronous invocation".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from relambda.actors.domain.decider import Command, Decider, Event, ViewRow, event
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.qualifiers import dropped
from relambda.actors.domain.refusals import Refusal

KIND = "asyncqueue"
MOST_PENDING = 10_000
"""Invocations of one function that may wait or run at a time; AWS tells no number."""
LONGEST_INLINE = 8_192
"""Bytes of a payload that lies in the event itself; a longer one is a blob."""


@dataclass(frozen=True, slots=True)
class Content:
    """A JSON payload: its text, or the sha256 of the blob that holds it."""

    text: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """How long and how often a function is tried; AWS's defaults (limits.tsv)."""

    retries: int = 2
    age_ms: int = 21_600_000
    base_delay_ms: int = 60_000
    """The delay before the n-th retry is n times this."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An invocation that is not done with."""

    qualifier: str | None
    payload: Content
    trace_id: str
    tenant_id: str
    accepted_ms: int
    attempts: int = 0
    """How often the function has failed."""
    not_before_ms: int = 0


@dataclass(frozen=True, slots=True)
class QueueState:
    """A function's pending invocations by request id, in the order they were accepted."""

    pending: Mapping[str, Pending] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptInvocation(Command):
    """Take an invocation; whether the function is there is known to who commands."""

    request_id: str
    qualifier: str | None
    payload: Content
    trace_id: str = ""
    tenant_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndAttempt(Command):
    """The function was run for an invocation, and failed if `function_error` says so."""

    request_id: str
    executed_version: str
    function_error: str
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class DropInvocation(Command):
    """Be done with an invocation without running the function again; `condition` says why."""

    request_id: str
    condition: str


@event("AsyncInvocationAccepted")
@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncInvocationAccepted(Event):
    """The caller was told that the function will be run."""

    request_id: str
    qualifier: str | None
    payload: Content
    trace_id: str
    tenant_id: str


@event("AsyncInvocationRetried")
@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncInvocationRetried(Event):
    """The function failed and is to be run again, not before a time."""

    request_id: str
    executed_version: str
    function_error: str
    not_before_ms: int


@event("AsyncInvocationCompleted")
@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncInvocationCompleted(Event):
    """An invocation is done with. `condition` is AWS's: Success, RetriesExhausted, EventAgeExceeded, …"""

    request_id: str
    condition: str
    invoke_count: int
    executed_version: str = ""
    function_error: str = ""


def _rows(resource: ResourceName, old: QueueState, new: QueueState) -> Iterable[ViewRow]:
    if bool(old.pending) != bool(new.pending):
        yield ViewRow("unfinished", resource.stream, {} if new.pending else None)


queue: Decider[QueueState] = Decider(KIND, QueueState(), _rows)


def queue_of(function: ResourceName) -> ResourceName:
    """The stream of a function's asynchronous invocations."""
    return replace(function, kind=KIND)


@queue.decides(AcceptInvocation)
def accept(state: QueueState, command: AcceptInvocation) -> Iterable[Event]:
    """The invocation waits for its turn, unless too many do."""
    if len(state.pending) >= MOST_PENDING:
        raise Refusal(
            "TooManyRequestsException", "Rate Exceeded.", Reason="CallerRateLimitExceeded", retryAfterSeconds="1"
        )
    yield AsyncInvocationAccepted(
        at_ms=command.at_ms,
        request_id=command.request_id,
        qualifier=command.qualifier,
        payload=command.payload,
        trace_id=command.trace_id,
        tenant_id=command.tenant_id,
    )


@queue.evolves(AsyncInvocationAccepted)
def accepted(state: QueueState, event: AsyncInvocationAccepted) -> QueueState:
    """It is pending."""
    waits = Pending(event.qualifier, event.payload, event.trace_id, event.tenant_id, event.at_ms)
    return QueueState({**state.pending, event.request_id: waits})


@queue.decides(EndAttempt)
def end_attempt(state: QueueState, command: EndAttempt) -> Iterable[Event]:
    """Done with after a success; after a failure tried again, as long as retries and age allow."""
    tried = state.pending.get(command.request_id)
    if tried is None:
        return
    attempts, policy = tried.attempts + 1, command.policy
    later = command.at_ms + attempts * policy.base_delay_ms
    condition = "Success"
    if command.function_error:
        too_old = later - tried.accepted_ms > policy.age_ms
        condition = "RetriesExhausted" if attempts > policy.retries else "EventAgeExceeded" if too_old else ""
    if condition:
        yield AsyncInvocationCompleted(
            at_ms=command.at_ms,
            request_id=command.request_id,
            condition=condition,
            invoke_count=attempts,
            executed_version=command.executed_version,
            function_error=command.function_error,
        )
    else:
        yield AsyncInvocationRetried(
            at_ms=command.at_ms,
            request_id=command.request_id,
            executed_version=command.executed_version,
            function_error=command.function_error,
            not_before_ms=later,
        )


@queue.evolves(AsyncInvocationRetried)
def retried(state: QueueState, event: AsyncInvocationRetried) -> QueueState:
    """It waits for its next attempt."""
    tried = state.pending[event.request_id]
    again = replace(tried, attempts=tried.attempts + 1, not_before_ms=event.not_before_ms)
    return QueueState({**state.pending, event.request_id: again})


@queue.decides(DropInvocation)
def drop(state: QueueState, command: DropInvocation) -> Iterable[Event]:
    """Done with, and not for having succeeded."""
    tried = state.pending.get(command.request_id)
    if tried is not None:
        yield AsyncInvocationCompleted(
            at_ms=command.at_ms,
            request_id=command.request_id,
            condition=command.condition,
            invoke_count=tried.attempts,
        )


@queue.evolves(AsyncInvocationCompleted)
def completed(state: QueueState, event: AsyncInvocationCompleted) -> QueueState:
    """Nothing of it is pending."""
    return QueueState(dropped(state.pending, event.request_id))
