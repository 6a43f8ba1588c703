"""The state of a durable execution: where it stands, its operations, and the rows that show it (durable.tsv)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from relambda.actors.domain.configuration import Json
from relambda.actors.domain.decider import Decider, ViewRow
from relambda.actors.domain.durable_names import KIND, Execution, names_of
from relambda.actors.domain.names import ResourceName, function_name

RUNNING = frozenset({"RUNNING", "PAUSING", "PAUSED"})
ENDED = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED"})
DAY_MS = 86_400_000
LONGEST_MS = 366 * DAY_MS
"""An execution ends after this time, paused or not (API reference, PauseDurableExecution)."""
DEFAULT_RETENTION_DAYS = 14
_NEWEST = 10**14


@dataclass(frozen=True, slots=True)
class OperationState:
    """One operation as AWS shows it, and what its timers need. Times are milliseconds since the epoch."""

    id: str
    type: str
    status: str
    number: int
    """Its place in the order of starts."""
    started_ms: int
    touched: int
    """How many checkpoints there were when it last changed."""
    parent_id: str | None = None
    name: str | None = None
    sub_type: str | None = None
    ended_ms: int | None = None
    details: Json = field(default_factory=dict)
    """The member of its type (StepDetails, WaitDetails, …)."""
    due_ms: int | None = None
    """When its timer goes off: the next attempt, the end of a wait, a callback's timeout."""
    heartbeat_due_ms: int | None = None
    heartbeat_ms: int = 0


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause that was asked for."""

    requested_ms: int
    timeout_paused: bool
    reason: str | None = None
    began_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """The last change that was asked for with a client token, for the same one to be no second change."""

    client_token: str
    what: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Running:
    """The invocation of the function that is under way."""

    request_id: str
    started_ms: int


@dataclass(frozen=True, slots=True)
class DurableState:
    """An execution; `id` is "" when there is none."""

    id: str = ""
    version: str = ""
    function_arn: str = ""
    """With the qualifier that it was started with."""
    status: str = ""
    input: str = ""
    config: Json = field(default_factory=dict)
    trace_id: str = ""
    started_ms: int = 0
    ended_ms: int | None = None
    result: str | None = None
    error: Json | None = None
    operations: Mapping[str, OperationState] = field(default_factory=dict)
    sequence: int = 0
    """How many checkpoints there were."""
    request: Request | None = None
    pause: Pause | None = None
    paused_ms: int = 0
    """How long the execution's timeout stood still in pauses that are over."""
    running: Running | None = None

    @property
    def expires_ms(self) -> int | None:
        """When its retention is over; from then on it is as if it had never been."""
        if self.ended_ms is None:
            return None
        return self.ended_ms + int(self.config.get("RetentionPeriodInDays") or DEFAULT_RETENTION_DAYS) * DAY_MS

    @property
    def timeout_ms(self) -> int:
        """The execution timeout."""
        return int(self.config.get("ExecutionTimeout") or LONGEST_MS // 1000) * 1000

    @property
    def times_out_ms(self) -> int | None:
        """When it is over for having taken too long, as far as that is known; None once it has ended."""
        if self.status not in RUNNING:
            return None
        longest = self.started_ms + LONGEST_MS
        if self.status == "PAUSED" and self.pause is not None and self.pause.timeout_paused:
            return longest
        return min(longest, self.started_ms + self.timeout_ms + self.paused_ms)


def next_due(state: DurableState) -> int | None:
    """When the next timer of a running execution goes off; None when it has none."""
    if state.status not in RUNNING:
        return None
    timers = (due for each in state.operations.values() for due in (each.due_ms, each.heartbeat_due_ms))
    return min(due for due in (*timers, state.times_out_ms) if due is not None)


def with_operation(state: DurableState, operation: OperationState) -> DurableState:
    """The state with an operation new or changed."""
    return replace(state, operations={**state.operations, operation.id: operation})


def _without_none(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None}


def _seconds(at_ms: int | None) -> float | None:
    return None if at_ms is None else at_ms / 1000


DETAILS = {
    "EXECUTION": "ExecutionDetails",
    "CONTEXT": "ContextDetails",
    "STEP": "StepDetails",
    "WAIT": "WaitDetails",
    "CALLBACK": "CallbackDetails",
    "CHAINED_INVOKE": "ChainedInvokeDetails",
}


def show_operation(operation: OperationState) -> dict[str, Any]:
    """AWS's Operation."""
    return _without_none(
        {
            "Id": operation.id,
            "ParentId": operation.parent_id,
            "Name": operation.name,
            "Type": operation.type,
            "SubType": operation.sub_type,
            "StartTimestamp": _seconds(operation.started_ms),
            "EndTimestamp": _seconds(operation.ended_ms),
            "Status": operation.status,
            DETAILS[operation.type]: dict(operation.details) or None,
        }
    )


def show(resource: ResourceName, state: DurableState) -> dict[str, Any]:
    """GetDurableExecution's answer without the input."""
    pause = state.pause
    return _without_none(
        {
            **_summary(resource, state),
            "Result": state.result,
            "Error": state.error,
            "Version": state.version,
            "TraceHeader": {"XAmznTraceId": state.trace_id} if state.trace_id else None,
            "DurableConfig": dict(state.config) or None,
            "PauseDetails": None if pause is None else _show_pause(pause),
            "ExpectedExecutionTimeoutTimestamp": _seconds(state.times_out_ms),
        }
    )


def _show_pause(pause: Pause) -> dict[str, Any]:
    return _without_none(
        {
            "PauseRequestTimestamp": pause.requested_ms / 1000,
            "Reason": pause.reason,
            "ExecutionTimeoutPaused": pause.timeout_paused,
        }
    )


def _summary(resource: ResourceName, state: DurableState) -> dict[str, Any]:
    return _without_none(
        {
            "DurableExecutionArn": Execution(resource, state.version, state.id).arn,
            "DurableExecutionName": names_of(resource)[1],
            "FunctionArn": state.function_arn,
            "Status": state.status,
            "StartTimestamp": _seconds(state.started_ms),
            "EndTimestamp": _seconds(state.ended_ms),
        }
    )


def listing_keys(resource: ResourceName, state: DurableState) -> tuple[tuple[str, str], ...]:
    """Tables and keys of the rows that list an execution: by start, the newest first, and the oldest first."""
    function, name = names_of(resource)
    prefix = function_name(resource.scope, function).row_key("")
    return (
        ("executions_newest", f"{prefix}{_NEWEST - state.started_ms:015d}/{name}"),
        ("executions_oldest", f"{prefix}{state.started_ms:015d}/{name}"),
    )


def _rows(resource: ResourceName, old: DurableState, new: DurableState) -> Iterable[ViewRow]:
    if old.id != new.id:
        yield from _rows_of_another(resource, old, new)
    if new.id:
        hidden = {"Sequence": new.sequence, "Id": new.id, "ExpiresMs": new.expires_ms}
        yield ViewRow("executions", resource.key, {**hidden, "Shown": show(resource, new)})
        if (old.id, old.status) != (new.id, new.status):
            shown = _without_none({**_summary(resource, new), "KMSKeyArn": new.config.get("KMSKeyArn")})
            summary = {"Version": new.version, "ExpiresMs": new.expires_ms, "Shown": shown}
            for table, key in listing_keys(resource, new):
                yield ViewRow(table, key, summary)
    for operation in new.operations.values():
        if old.operations.get(operation.id) is not operation:
            yield ViewRow("execution_operations", _operation_key(resource, operation), show_operation(operation))
    if _unfinished(old) != _unfinished(new):
        yield ViewRow("unfinished", resource.stream, {} if _unfinished(new) else None)


def _operation_key(resource: ResourceName, operation: OperationState) -> str:
    return resource.row_key(f"{operation.number:08d}")


def _rows_of_another(resource: ResourceName, old: DurableState, new: DurableState) -> Iterable[ViewRow]:
    """The end of what is no more, and what does not change about the new."""
    if old.id:
        for table, key in listing_keys(resource, old):
            yield ViewRow(table, key, None)
        for operation in old.operations.values():
            yield ViewRow("execution_operations", _operation_key(resource, operation), None)
        if not new.id:
            yield ViewRow("executions", resource.key, None)
    yield ViewRow("execution_inputs", resource.key, {"InputPayload": new.input} if new.id else None)


def _unfinished(state: DurableState) -> bool:
    """Whether an actor must go on with it after a restart."""
    return state.status in RUNNING or state.status == "DELETING"


durable: Decider[DurableState] = Decider(KIND, DurableState(), _rows)
