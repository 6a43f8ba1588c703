"""Invocations of the function for a durable execution: begun, and ended with what the function answered."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Event, event
from relambda.actors.domain.durable import DurableExecutionEnded, OnExecution, found
from relambda.actors.domain.durable_pause import pause_took
from relambda.actors.domain.durable_state import RUNNING, DurableState, Running, durable


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginInvocation(OnExecution):
    """The function is invoked for the execution."""

    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndInvocation(OnExecution):
    """The function answered: `status` SUCCEEDED, FAILED or PENDING; anything else is a failed invocation."""

    request_id: str
    status: str
    result: str | None = None
    error: Json | None = None


@event("DurableInvocationBegun")
@dataclass(frozen=True, slots=True, kw_only=True)
class DurableInvocationBegun(Event):
    """The function runs for the execution."""

    request_id: str


@event("DurableInvocationEnded")
@dataclass(frozen=True, slots=True, kw_only=True)
class DurableInvocationEnded(Event):
    """The function has run for the execution, from `started_ms` on."""

    request_id: str
    started_ms: int
    error: Json | None = None


@durable.decides(BeginInvocation)
def begin_invocation(state: DurableState, command: BeginInvocation) -> Iterable[Event]:
    """The function runs, if the execution does; nothing for one that is paused or over."""
    if found(state, command).status == "RUNNING" and state.running is None:
        yield DurableInvocationBegun(at_ms=command.at_ms, request_id=command.request_id)


@durable.evolves(DurableInvocationBegun)
def invocation_begun(state: DurableState, event: DurableInvocationBegun) -> DurableState:
    """The function runs."""
    return replace(state, running=Running(event.request_id, event.at_ms))


@durable.decides(EndInvocation)
def end_invocation(state: DurableState, command: EndInvocation) -> Iterable[Event]:
    """The function has run; the execution is over with it when it says so, and a pause may begin."""
    running = found(state, command).running
    if running is None or running.request_id != command.request_id:
        return
    known = command.status in {"SUCCEEDED", "FAILED", "PENDING"}
    over = DurableInvocationEnded(
        at_ms=command.at_ms,
        request_id=command.request_id,
        started_ms=running.started_ms,
        error=None if known else command.error,
    )
    yield over
    if command.status in {"SUCCEEDED", "FAILED"} and state.status in RUNNING:
        yield DurableExecutionEnded(
            at_ms=command.at_ms, status=command.status, result=command.result, error=command.error
        )
    else:
        yield from pause_took(state, command.at_ms)


@durable.evolves(DurableInvocationEnded)
def invocation_ended(state: DurableState, event: DurableInvocationEnded) -> DurableState:
    """The function runs no more."""
    del event
    return replace(state, running=None)
