"""What comes to a durable execution from outside and by itself: answers to callbacks, heartbeats, timers."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Command, Event
from relambda.actors.domain.durable import DurableExecutionEnded, OnExecution, no_execution
from relambda.actors.domain.durable_operations import DurableOperationChanged, closed
from relambda.actors.domain.durable_state import RUNNING, DurableState, OperationState, durable
from relambda.actors.domain.refusals import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCallback(OnExecution):
    """A callback succeeded with a result, or failed with an error."""

    operation_id: str
    succeeded: bool
    result: str | None = None
    error: Json | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatHeart(OnExecution):
    """Whoever is to answer a callback is still at it."""

    operation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoOff(Command):
    """Time has passed: whatever was to happen until now happens."""


def _open_callback(state: DurableState, command: AnswerCallback | BeatHeart) -> OperationState:
    callback = state.operations.get(command.operation_id)
    if state.id != command.execution_id or callback is None or callback.type != "CALLBACK":
        raise no_execution()
    if callback.status != "STARTED" or state.status not in RUNNING:
        raise Refusal(
            "CallbackTimeoutException",
            "The callback ID token has either expired or the callback associated with the token has already been "
            "closed.",
        )
    return callback


@durable.decides(AnswerCallback)
def answer(state: DurableState, command: AnswerCallback) -> Iterable[Event]:
    """The end of a callback that is open."""
    callback, at_ms = _open_callback(state, command), command.at_ms
    if command.succeeded:
        over = closed(callback, "SUCCEEDED", at_ms, state.sequence, Result=command.result)
        told: Json = {"Result": {} if command.result is None else {"Payload": command.result}}
        yield DurableOperationChanged(at_ms=at_ms, operation=over, history="CallbackSucceeded", details=told)
    else:
        over = closed(callback, "FAILED", at_ms, state.sequence, Error=command.error or {})
        told = {"Error": {"Payload": command.error or {}}}
        yield DurableOperationChanged(at_ms=at_ms, operation=over, history="CallbackFailed", details=told)


@durable.decides(BeatHeart)
def beat(state: DurableState, command: BeatHeart) -> Iterable[Event]:
    """The heartbeat's timer begins anew, if the callback has one."""
    callback = _open_callback(state, command)
    if callback.heartbeat_ms:
        later = replace(callback, heartbeat_due_ms=command.at_ms + callback.heartbeat_ms)
        yield DurableOperationChanged(at_ms=command.at_ms, operation=later, history="", details={})


@durable.decides(GoOff)
def go_off(state: DurableState, command: GoOff) -> Iterable[Event]:
    """Timers that are due, in the order of their times; they go off while the execution is paused too."""
    if state.status not in RUNNING:
        return
    over = state.times_out_ms
    for at_ms, operation in sorted(_timers(state), key=lambda timer: timer[0]):
        if at_ms > command.at_ms or (over is not None and at_ms > over):
            break
        yield _gone_off(state, operation, command.at_ms)
    if over is not None and over <= command.at_ms:
        yield DurableExecutionEnded(at_ms=command.at_ms, status="TIMED_OUT")


def _due(operation: OperationState) -> int | None:
    timers = [due for due in (operation.due_ms, operation.heartbeat_due_ms) if due is not None]
    return min(timers) if timers else None


def _timers(state: DurableState) -> Iterable[tuple[int, OperationState]]:
    for operation in state.operations.values():
        due = _due(operation)
        if due is not None:
            yield due, operation


def _gone_off(state: DurableState, operation: OperationState, at_ms: int) -> DurableOperationChanged:
    if operation.type == "STEP":
        ready = replace(operation, status="READY", due_ms=None, touched=state.sequence)
        return DurableOperationChanged(at_ms=at_ms, operation=ready, history="", details={})
    if operation.type == "WAIT":
        over = closed(operation, "SUCCEEDED", at_ms, state.sequence)
        seconds = ((operation.due_ms or 0) - operation.started_ms) // 1000
        return DurableOperationChanged(
            at_ms=at_ms, operation=over, history="WaitSucceeded", details={"Duration": seconds}
        )
    beaten = operation.heartbeat_due_ms is not None and operation.heartbeat_due_ms == _due(operation)
    error = {
        "ErrorType": "Callback.Heartbeat" if beaten else "Callback.Timeout",
        "ErrorMessage": "Callback heartbeat timed out" if beaten else "Callback timed out",
    }
    over = closed(operation, "TIMED_OUT", at_ms, state.sequence, Error=error)
    return DurableOperationChanged(
        at_ms=at_ms, operation=over, history="CallbackTimedOut", details={"Error": {"Payload": error}}
    )
