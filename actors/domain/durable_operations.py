"""The operations of a durable execution, changed by checkpoints (durable.tsv, "transitions", "consistency checks")."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Event, event
from relambda.actors.domain.durable import DurableExecutionEnded
from relambda.actors.domain.durable_names import callback_id
from relambda.actors.domain.durable_state import DurableState, OperationState, durable, with_operation
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import Refusal, invalid

MOST_OPERATIONS = 3_000
"""Operations of one execution (Developer Guide, quotas of durable functions)."""
LONGEST_PAYLOAD = 1_048_576
"""Bytes of an operation's payload; an execution's result may have more (limits.tsv)."""
LONGEST_ERROR = 1_048_576
"""Bytes of all members of an error together (API reference, StopDurableExecution)."""


@event("DurableOperationChanged")
@dataclass(frozen=True, slots=True, kw_only=True)
class DurableOperationChanged(Event):
    """An operation began or changed. `history` is AWS's EventType, "" when AWS tells nobody, with its details."""

    operation: OperationState
    history: str
    details: Json


@durable.evolves(DurableOperationChanged)
def operation_changed(state: DurableState, event: DurableOperationChanged) -> DurableState:
    """The operation is as the event says."""
    return with_operation(state, event.operation)


@dataclass(frozen=True, slots=True)
class Update:
    """One update of a checkpoint, where and when it comes."""

    resource: ResourceName
    state: DurableState
    given: Json
    at_ms: int

    @property
    def former(self) -> OperationState | None:
        """The operation as it is."""
        return self.state.operations.get(self.given["Id"])

    def begun(self, details: Json, **timers: Any) -> OperationState:
        """A new operation, STARTED. Raises Refusal when it is there already."""
        if self.former is not None:
            raise self.wrong(f"it is {self.former.status} already")
        return OperationState(
            id=self.given["Id"],
            type=self.given["Type"],
            status="STARTED",
            number=len(self.state.operations),
            started_ms=self.at_ms,
            touched=self.state.sequence,
            parent_id=self.given.get("ParentId"),
            name=self.given.get("Name"),
            sub_type=self.given.get("SubType"),
            details=details,
            **timers,
        )

    def one_of(self, *statuses: str) -> OperationState:
        """The operation, which must be in one of these statuses. Raises Refusal."""
        if self.former is None:
            raise self.wrong("it has not been started")
        if self.former.status not in statuses:
            raise self.wrong(f"it is {self.former.status}")
        return self.former

    def wrong(self, why: str) -> Refusal:
        """The refusal of this update."""
        given = self.given
        return invalid(f"Invalid update of operation {given['Id']}: {given['Action']} of {given['Type']}: {why}.")


def changed(
    update: Update, operation: OperationState, history: str = "", details: Json | None = None
) -> DurableOperationChanged:
    """The event of a change."""
    return DurableOperationChanged(at_ms=update.at_ms, operation=operation, history=history, details=details or {})


def closed(operation: OperationState, status: str, at_ms: int, sequence: int, **outcome: Any) -> OperationState:
    """An operation that is over, with its result or error among its details."""
    return replace(
        operation,
        status=status,
        ended_ms=at_ms,
        touched=sequence,
        details={**operation.details, **{name: value for name, value in outcome.items() if value is not None}},
        due_ms=None,
        heartbeat_due_ms=None,
    )


def apply(update: Update) -> Iterable[Event]:
    """What follows from one update. Raises Refusal: InvalidParameterValueException."""
    given = update.given
    handler = _HANDLERS.get((given["Type"], given["Action"]))
    if handler is None:
        raise update.wrong("there is no such action")
    _check_identity(update)
    _check_size(update)
    return handler(update)


def _check_identity(update: Update) -> None:
    given, former, operations = update.given, update.former, update.state.operations
    if former is None:
        if len(operations) >= MOST_OPERATIONS and given["Type"] != "EXECUTION":
            raise update.wrong(f"an execution has {MOST_OPERATIONS} operations at most")
        parent = given.get("ParentId")
        if parent is not None and (parent not in operations or operations[parent].type != "CONTEXT"):
            raise update.wrong("its parent is no context of this execution")
        return
    told = {"Type": former.type, "SubType": former.sub_type, "Name": former.name, "ParentId": former.parent_id}
    for member, value in told.items():
        if member in given and given[member] != value and former.type != "EXECUTION":
            raise update.wrong(f"its {member} cannot change")


def _check_size(update: Update) -> None:
    given = update.given
    if given["Type"] != "EXECUTION" and len(given.get("Payload", "").encode()) > LONGEST_PAYLOAD:
        raise update.wrong(f"its payload has more than {LONGEST_PAYLOAD} bytes")
    if error_size(given.get("Error") or {}) > LONGEST_ERROR:
        raise update.wrong(f"its error has more than {LONGEST_ERROR} bytes")


def error_size(error: Json) -> int:
    """Bytes of all members of an error together."""
    texts = [*error.get("StackTrace", ()), *(value for value in error.values() if isinstance(value, str))]
    return sum(len(text.encode()) for text in texts)


def _result(update: Update) -> Json:
    return {"Payload": update.given["Payload"]} if update.given.get("Payload") is not None else {}


def _error(update: Update) -> Json:
    return {"Payload": update.given["Error"]} if update.given.get("Error") is not None else {}


def _execution(status: str) -> Callable[[Update], Iterable[Event]]:
    def end(update: Update) -> Iterable[Event]:
        yield DurableExecutionEnded(
            at_ms=update.at_ms,
            status=status,
            result=update.given.get("Payload") if status == "SUCCEEDED" else None,
            error=update.given.get("Error"),
        )

    return end


def _context_start(update: Update) -> Iterable[Event]:
    yield changed(update, update.begun({}), "ContextStarted")


def _context_end(status: str) -> Callable[[Update], Iterable[Event]]:
    def end(update: Update) -> Iterable[Event]:
        replay = (update.given.get("ContextOptions") or {}).get("ReplayChildren")
        context = closed(
            update.one_of("STARTED"),
            status,
            update.at_ms,
            update.state.sequence,
            ReplayChildren=replay,
            Result=update.given.get("Payload"),
            Error=update.given.get("Error"),
        )
        yield changed(update, context, *_outcome(update, "Context", status))

    return end


def _outcome(update: Update, noun: str, status: str) -> tuple[str, Json]:
    if status == "SUCCEEDED":
        return f"{noun}Succeeded", {"Result": _result(update)}
    return f"{noun}Failed", {"Error": _error(update)}


def _step_start(update: Update) -> Iterable[Event]:
    """A first attempt, or the next one when its time has come."""
    if update.former is None:
        yield changed(update, update.begun({"Attempt": 1}), "StepStarted")
        return
    step = update.one_of("READY")
    attempt = {"Attempt": step.details["Attempt"] + 1}
    yield changed(
        update, replace(step, status="STARTED", touched=update.state.sequence, details=attempt), "StepStarted"
    )


def _step_end(status: str) -> Callable[[Update], Iterable[Event]]:
    def end(update: Update) -> Iterable[Event]:
        former = update.one_of("STARTED", "READY")
        outcome = {"Result": update.given.get("Payload"), "Error": update.given.get("Error")}
        step = closed(former, status, update.at_ms, update.state.sequence, **outcome)
        history, details = _outcome(update, "Step", status)
        yield changed(update, step, history, {**details, "RetryDetails": {"CurrentAttempt": step.details["Attempt"]}})

    return end


def _step_retry(update: Update) -> Iterable[Event]:
    """The step waits for its next attempt; it brings what it has, or why it failed."""
    step, given = update.one_of("STARTED", "READY"), update.given
    delay = (given.get("StepOptions") or {}).get("NextAttemptDelaySeconds")
    if delay is None:
        raise update.wrong("NextAttemptDelaySeconds is missing")
    if given.get("Payload") is not None and given.get("Error") is not None:
        raise update.wrong("a payload and an error are given")
    due_ms = update.at_ms + delay * 1000
    details = {"Attempt": step.details["Attempt"], "NextAttemptTimestamp": due_ms / 1000}
    brought = {name: given[member] for name, member in (("Result", "Payload"), ("Error", "Error")) if member in given}
    waiting = replace(
        step, status="PENDING", due_ms=due_ms, touched=update.state.sequence, details={**details, **brought}
    )
    history, told = _outcome(update, "Step", "FAILED" if "Error" in brought else "SUCCEEDED")
    retry = {"CurrentAttempt": details["Attempt"], "NextAttemptDelaySeconds": delay}
    yield changed(update, waiting, history, {**told, "RetryDetails": retry})


def _wait_start(update: Update) -> Iterable[Event]:
    seconds = (update.given.get("WaitOptions") or {}).get("WaitSeconds")
    if seconds is None:
        raise update.wrong("WaitSeconds is missing")
    due_ms = update.at_ms + seconds * 1000
    end = {"ScheduledEndTimestamp": due_ms / 1000}
    yield changed(update, update.begun(end, due_ms=due_ms), "WaitStarted", {"Duration": seconds, **end})


def _wait_cancel(update: Update) -> Iterable[Event]:
    wait = closed(update.one_of("STARTED"), "CANCELLED", update.at_ms, update.state.sequence)
    yield changed(update, wait, "WaitCancelled", {"Error": _error(update)})


def _callback_start(update: Update) -> Iterable[Event]:
    options = update.given.get("CallbackOptions") or {}
    timeout, heartbeat = options.get("TimeoutSeconds", 0) * 1000, options.get("HeartbeatTimeoutSeconds", 0) * 1000
    made = callback_id(update.resource, update.state.id, update.given["Id"])
    callback = update.begun(
        {"CallbackId": made},
        due_ms=update.at_ms + timeout if timeout else None,
        heartbeat_due_ms=update.at_ms + heartbeat if heartbeat else None,
        heartbeat_ms=heartbeat,
    )
    told = {"CallbackId": made, "HeartbeatTimeout": heartbeat // 1000, "Timeout": timeout // 1000}
    yield changed(update, callback, "CallbackStarted", told)


def _chained_invoke_start(update: Update) -> Iterable[Event]:
    options = update.given.get("ChainedInvokeOptions")
    if options is None:
        raise update.wrong("ChainedInvokeOptions are missing")
    told = {name: options[name] for name in ("FunctionName", "TenantId") if name in options}
    yield changed(update, update.begun({}), "ChainedInvokeStarted", {**told, "Input": _result(update)})


_HANDLERS: Mapping[tuple[str, str], Callable[[Update], Iterable[Event]]] = {
    ("EXECUTION", "SUCCEED"): _execution("SUCCEEDED"),
    ("EXECUTION", "FAIL"): _execution("FAILED"),
    ("CONTEXT", "START"): _context_start,
    ("CONTEXT", "SUCCEED"): _context_end("SUCCEEDED"),
    ("CONTEXT", "FAIL"): _context_end("FAILED"),
    ("STEP", "START"): _step_start,
    ("STEP", "SUCCEED"): _step_end("SUCCEEDED"),
    ("STEP", "FAIL"): _step_end("FAILED"),
    ("STEP", "RETRY"): _step_retry,
    ("WAIT", "START"): _wait_start,
    ("WAIT", "CANCEL"): _wait_cancel,
    ("CALLBACK", "START"): _callback_start,
    ("CHAINED_INVOKE", "START"): _chained_invoke_start,
}
"""Actions by type (durable.tsv, "actions allowed")."""
