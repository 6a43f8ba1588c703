"""The history of a durable execution as AWS tells it, made from the events of its stream."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from relambda.actors.domain.decider import Event
from relambda.actors.domain.durable import (
    DurableExecutionEnded,
    DurableExecutionStarted,
)
from relambda.actors.domain.durable_invocation import DurableInvocationEnded
from relambda.actors.domain.durable_operations import DurableOperationChanged
from relambda.actors.domain.durable_pause import DurableExecutionPaused, DurableExecutionResumed
from relambda.actors.domain.durable_state import LONGEST_MS

_ENDS = {"SUCCEEDED": "Succeeded", "FAILED": "Failed", "TIMED_OUT": "TimedOut", "STOPPED": "Stopped"}


def history(events: Iterable[Event], *, include_data: bool = True) -> list[dict[str, Any]]:
    """AWS's events of the last execution of a stream, numbered from 1, the oldest first."""
    told = list[dict[str, Any]]()
    for happened in events:
        if isinstance(happened, DurableExecutionStarted):
            told = []
        entry = _entry(happened)
        if entry is None:
            continue
        event_type, about, details = entry
        shown = details if include_data else _without_payloads(details)
        told.append(
            {
                "EventType": event_type,
                "EventId": len(told) + 1,
                "EventTimestamp": happened.at_ms / 1000,
                **about,
                f"{event_type}Details": shown,
            }
        )
    return told


_Entry = tuple[str, Mapping[str, Any], Mapping[str, Any]]


def _entry(happened: Event) -> _Entry | None:
    tell = _TELLERS.get(type(happened))
    return None if tell is None else tell(happened)


def _started(event: DurableExecutionStarted) -> _Entry:
    timeout = event.config.get("ExecutionTimeout") or LONGEST_MS // 1000
    details = {"Input": {"Payload": event.input}, "ExecutionTimeout": timeout}
    return "ExecutionStarted", {"Id": event.id}, details


def _ended(event: DurableExecutionEnded) -> _Entry:
    error = {} if event.error is None else {"Payload": event.error}
    result = {} if event.result is None else {"Payload": event.result}
    details = {"Result": result} if event.status == "SUCCEEDED" else {"Error": error}
    return f"Execution{_ENDS[event.status]}", {}, details


def _changed(event: DurableOperationChanged) -> _Entry | None:
    if not event.history:
        return None
    operation = event.operation
    about = {
        "Id": operation.id,
        "Name": operation.name,
        "ParentId": operation.parent_id,
        "SubType": operation.sub_type,
    }
    return event.history, {name: value for name, value in about.items() if value is not None}, event.details


def _invoked(event: DurableInvocationEnded) -> _Entry:
    details: dict[str, Any] = {
        "StartTimestamp": event.started_ms / 1000,
        "EndTimestamp": event.at_ms / 1000,
        "RequestId": event.request_id,
    }
    if event.error is not None:
        details["Error"] = {"Payload": event.error}
    return "InvocationCompleted", {}, details


def _paused(event: DurableExecutionPaused) -> _Entry:
    details: dict[str, Any] = {
        "PauseRequestTimestamp": event.requested_ms / 1000,
        "ExecutionTimeoutPaused": event.timeout_paused,
    }
    return "ExecutionPaused", {}, {**details, **_reason(event.reason)}


def _resumed(event: DurableExecutionResumed) -> _Entry:
    return "ExecutionResumed", {}, {"ResumeRequestTimestamp": event.at_ms / 1000, **_reason(event.reason)}


def _reason(reason: str | None) -> dict[str, Any]:
    return {} if reason is None else {"Reason": {"Payload": reason}}


def _without_payloads(details: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {key: each for key, each in value.items() if key != "Payload"} if isinstance(value, Mapping) else value
        for name, value in details.items()
    }


_TELLERS: Mapping[type[Event], Callable[[Any], _Entry | None]] = {
    DurableExecutionStarted: _started,
    DurableExecutionEnded: _ended,
    DurableOperationChanged: _changed,
    DurableInvocationEnded: _invoked,
    DurableExecutionPaused: _paused,
    DurableExecutionResumed: _resumed,
}
