"""Pauses of durable executions (API reference, PauseDurableExecution and ResumeDurableExecution)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from relambda.actors.domain.decider import Event, event
from relambda.actors.domain.durable import OnExecution, found
from relambda.actors.domain.durable_state import DurableState, Pause, Request, durable
from relambda.actors.domain.refusals import conflict

REPEAT_MS = 15 * 60 * 1000
"""How long a client token means the same request (API reference)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseExecution(OnExecution):
    """Invoke the function no more until the execution is resumed."""

    reason: str | None = None
    timeout_paused: bool = True
    client_token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeExecution(OnExecution):
    """End a pause."""

    reason: str | None = None
    client_token: str = ""


@event("DurableExecutionPauseRequested")
@dataclass(frozen=True, slots=True, kw_only=True)
class DurableExecutionPauseRequested(Event):
    """A pause is to begin when the invocation under way reaches its next checkpoint."""

    reason: str | None
    timeout_paused: bool
    client_token: str


@event("DurableExecutionPaused")
@dataclass(frozen=True, slots=True, kw_only=True)
class DurableExecutionPaused(Event):
    """The pause that was asked for has begun."""

    requested_ms: int
    reason: str | None
    timeout_paused: bool


@event("DurableExecutionResumed")
@dataclass(frozen=True, slots=True, kw_only=True)
class DurableExecutionResumed(Event):
    """The pause is over."""

    reason: str | None
    client_token: str


@durable.decides(PauseExecution)
def pause(state: DurableState, command: PauseExecution) -> Iterable[Event]:
    """PAUSED, or PAUSING while the function runs; the same request again is no second one."""
    what = f"pause {command.timeout_paused} {command.reason}"
    if _repeated(found(state, command).request, command.client_token, what, command.at_ms):
        return
    if state.status != "RUNNING":
        raise conflict(f"The durable execution cannot be paused: its status is {state.status}.")
    asked = DurableExecutionPauseRequested(
        at_ms=command.at_ms,
        reason=command.reason,
        timeout_paused=command.timeout_paused,
        client_token=command.client_token,
    )
    yield asked
    if state.running is None:
        yield from pause_took(durable.evolve(state, asked), command.at_ms)


def pause_took(state: DurableState, at_ms: int) -> Iterable[Event]:
    """The pause that was asked for begins, if one was."""
    if state.status == "PAUSING" and state.pause is not None:
        asked = state.pause
        yield DurableExecutionPaused(
            at_ms=at_ms, requested_ms=asked.requested_ms, reason=asked.reason, timeout_paused=asked.timeout_paused
        )


@durable.evolves(DurableExecutionPauseRequested)
def pausing(state: DurableState, event: DurableExecutionPauseRequested) -> DurableState:
    """It is about to be paused."""
    what = f"pause {event.timeout_paused} {event.reason}"
    return replace(
        state,
        status="PAUSING",
        pause=Pause(event.at_ms, event.timeout_paused, event.reason),
        request=Request(event.client_token, what, event.at_ms),
    )


@durable.evolves(DurableExecutionPaused)
def paused(state: DurableState, event: DurableExecutionPaused) -> DurableState:
    """It is paused, and the invocation that was under way counts no more."""
    began = Pause(event.requested_ms, event.timeout_paused, event.reason, event.at_ms)
    return replace(state, status="PAUSED", pause=began, running=None)


@durable.decides(ResumeExecution)
def resume(state: DurableState, command: ResumeExecution) -> Iterable[Event]:
    """RUNNING again; a pause that has not begun is called off."""
    what = f"resume {command.reason}"
    if _repeated(found(state, command).request, command.client_token, what, command.at_ms):
        return
    if state.status not in {"PAUSING", "PAUSED"}:
        raise conflict(f"The durable execution cannot be resumed: its status is {state.status}.")
    yield DurableExecutionResumed(at_ms=command.at_ms, reason=command.reason, client_token=command.client_token)


@durable.evolves(DurableExecutionResumed)
def resumed(state: DurableState, event: DurableExecutionResumed) -> DurableState:
    """It runs; the time of the pause does not count when that was wanted."""
    pause_, stood = state.pause, 0
    if pause_ is not None and pause_.timeout_paused and pause_.began_ms is not None:
        stood = event.at_ms - pause_.began_ms
    request = Request(event.client_token, f"resume {event.reason}", event.at_ms)
    return replace(state, status="RUNNING", pause=None, paused_ms=state.paused_ms + stood, request=request)


def _repeated(last: Request | None, client_token: str, what: str, at_ms: int) -> bool:
    if last is None or not client_token:
        return False
    return (last.client_token, last.what) == (client_token, what) and at_ms - last.at_ms < REPEAT_MS
