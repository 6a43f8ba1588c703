"""Durable executions: started, ended, deleted (durable.tsv; API reference)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Command, Event, event
from relambda.actors.domain.durable_state import ENDED, RUNNING, DurableState, OperationState, durable
from relambda.actors.domain.refusals import Refusal, conflict, not_found


@dataclass(frozen=True, slots=True, kw_only=True)
class StartExecution(Command):
    """Start an execution under the stream's name; the same name and input again is the same execution."""

    id: str
    version: str
    function_arn: str
    input: str
    config: Json
    trace_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnExecution(Command):
    """A command about one execution, not about whichever has the name now."""

    execution_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopExecution(OnExecution):
    """End the execution, whatever it waits for."""

    error: Json | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteExecution(OnExecution):
    """Delete an execution that has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishDeletion(OnExecution):
    """The deletion is done."""


@event("DurableExecutionStarted")
@dataclass(frozen=True, slots=True, kw_only=True)
class DurableExecutionStarted(Event):
    """An execution runs."""

    id: str
    version: str
    function_arn: str
    input: str
    config: Json
    trace_id: str


@event("DurableExecutionEnded")
@dataclass(frozen=True, slots=True, kw_only=True)
class DurableExecutionEnded(Event):
    """An execution is over, in a terminal status."""

    status: str
    result: str | None = None
    error: Json | None = None


@event("DurableExecutionDeletionRequested")
@dataclass(frozen=True, slots=True, kw_only=True)
class DurableExecutionDeletionRequested(Event):
    """The execution and its data are about to be gone."""


@event("DurableExecutionDeleted")
@dataclass(frozen=True, slots=True, kw_only=True)
class DurableExecutionDeleted(Event):
    """The execution is gone; its name is free."""


def found(state: DurableState, command: OnExecution) -> DurableState:
    """The execution that a command is about. Raises Refusal: ResourceNotFoundException."""
    expired = state.expires_ms is not None and state.expires_ms <= command.at_ms
    if state.id != command.execution_id or not state.id or expired:
        raise no_execution()
    return state


def no_execution() -> Refusal:
    """There is no such execution, or none any more."""
    return not_found("The durable execution does not exist.")


@durable.decides(StartExecution)
def start(state: DurableState, command: StartExecution) -> Iterable[Event]:
    """A new execution, nothing when it is the one that is there, a refusal when that has another input.

    A name is free again when its retention is over (Developer Guide, "Idempotency").
    """
    expired = state.expires_ms is not None and state.expires_ms <= command.at_ms
    if state.id and not expired:
        if state.input == command.input and state.status != "DELETING":
            return
        raise Refusal(
            "DurableExecutionAlreadyStartedException",
            "The durable execution with the specified name has already been started. Each durable execution name must "
            "be unique within the function. Use a different name or check the status of the existing execution.",
        )
    yield DurableExecutionStarted(
        at_ms=command.at_ms,
        id=command.id,
        version=command.version,
        function_arn=command.function_arn,
        input=command.input,
        config=command.config,
        trace_id=command.trace_id,
    )


@durable.evolves(DurableExecutionStarted)
def started(state: DurableState, event: DurableExecutionStarted) -> DurableState:
    """It runs; its first operation is itself, of which the event tells the function (durable.tsv)."""
    del state
    own = OperationState(
        id=event.id,
        type="EXECUTION",
        status="STARTED",
        number=0,
        started_ms=event.at_ms,
        touched=-1,
        details={"InputPayload": event.input},
    )
    return DurableState(
        id=event.id,
        version=event.version,
        function_arn=event.function_arn,
        status="RUNNING",
        input=event.input,
        config=event.config,
        trace_id=event.trace_id,
        started_ms=event.at_ms,
        operations={event.id: own},
    )


@durable.decides(StopExecution)
def stop(state: DurableState, command: StopExecution) -> Iterable[Event]:
    """The end of a running or paused execution; one that has ended stays as it is."""
    if found(state, command).status in RUNNING:
        yield DurableExecutionEnded(at_ms=command.at_ms, status="STOPPED", error=command.error)


@durable.evolves(DurableExecutionEnded)
def ended(state: DurableState, event: DurableExecutionEnded) -> DurableState:
    """It is over, and its own operation with it."""
    own = replace(state.operations[state.id], status=event.status, ended_ms=event.at_ms, touched=state.sequence)
    return replace(
        state,
        status=event.status,
        ended_ms=event.at_ms,
        result=event.result,
        error=event.error,
        pause=None,
        operations={**state.operations, state.id: own},
    )


@durable.decides(DeleteExecution)
def delete(state: DurableState, command: DeleteExecution) -> Iterable[Event]:
    """DELETING, if it has ended; asked for again while that goes on, nothing."""
    if found(state, command).status == "DELETING":
        return
    if state.status not in ENDED:
        raise conflict(f"The durable execution cannot be deleted: its status is {state.status}.")
    yield DurableExecutionDeletionRequested(at_ms=command.at_ms)


@durable.evolves(DurableExecutionDeletionRequested)
def deleting(state: DurableState, event: DurableExecutionDeletionRequested) -> DurableState:
    """It is about to be gone."""
    del event
    return replace(state, status="DELETING")


@durable.decides(FinishDeletion)
def finish_deletion(state: DurableState, command: FinishDeletion) -> Iterable[Event]:
    """The end of a deletion that is under way."""
    if state.id == command.execution_id and state.status == "DELETING":
        yield DurableExecutionDeleted(at_ms=command.at_ms)


@durable.evolves(DurableExecutionDeleted)
def deleted(state: DurableState, event: DurableExecutionDeleted) -> DurableState:
    """Nothing is left."""
    del state, event
    return DurableState()
