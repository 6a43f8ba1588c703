"""Durable executions: get, history, state, list, stop, pause, resume, delete, checkpoints and callbacks.

Expired executions are as if they had never been; their rows are cleared when the name is used again.
"""

from collections.abc import Callable
from typing import Any

from relambda.actors import codec
from relambda.actors.domain.configuration import Json
from relambda.actors.domain.durable import DeleteExecution, StopExecution, no_execution
from relambda.actors.domain.durable_callbacks import AnswerCallback, BeatHeart
from relambda.actors.domain.durable_checkpoint import TakeCheckpoint, changed_since, wrong_token
from relambda.actors.domain.durable_history import history
from relambda.actors.domain.durable_names import (
    CallbackName,
    Execution,
    read_arn,
    read_callback_id,
    sequence_of,
    token_of,
)
from relambda.actors.domain.durable_operations import LONGEST_ERROR, error_size
from relambda.actors.domain.durable_pause import PauseExecution, ResumeExecution
from relambda.actors.domain.durable_state import DurableState, show_operation
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import Refusal, invalid, not_found
from relambda.api.call import Call, Output, operation
from relambda.api.paging import key_of, marker_of, page

USUAL_PAGE, LONGEST_PAGE = 100, 1000
"""MaxItems when none, or 0, is given, and at most (API reference)."""
MOST_PAGE_BYTES = 5 * 1024 * 1024
"""Bytes of operations in one answer (durable.tsv, "state paging")."""


def _execution(call: Call) -> Execution:
    """The execution that the ARN names, if it is the caller's. Raises Refusal."""
    execution = read_arn(call.given["DurableExecutionArn"])
    if execution is None or execution.resource.scope != call.scope:
        raise no_execution()
    return execution


def _row(call: Call, execution: Execution) -> Json:
    """What is shown of an execution. Raises Refusal: ResourceNotFoundException."""
    row = call.cloud.views.document("executions", execution.resource.key)
    if row is None or row["Shown"]["DurableExecutionArn"] != call.given["DurableExecutionArn"]:
        raise no_execution()
    if row["ExpiresMs"] is not None and row["ExpiresMs"] <= call.now_ms():
        raise no_execution()
    return row


def _existing(call: Call) -> Execution:
    execution = _execution(call)
    _row(call, execution)
    return execution


@operation("GetDurableExecution")
def get_durable_execution(call: Call) -> Output:
    """The execution; without its data when that is asked for."""
    execution = _execution(call)
    shown, include = dict(_row(call, execution)["Shown"]), call.given.get("IncludeExecutionData", True)
    if include:
        shown |= call.cloud.views.document("execution_inputs", execution.resource.key) or {}
    else:
        shown = {name: value for name, value in shown.items() if name not in {"Result", "Error"}}
        if "PauseDetails" in shown:
            shown["PauseDetails"] = {**shown["PauseDetails"], "Reason": None}
    return {**shown, "ExecutionDataIncluded": include}


@operation("GetDurableExecutionHistory")
def get_durable_execution_history(call: Call) -> Output:
    """What happened, in order or the other way round; pages go on behind the number of the last event."""
    execution, given = _existing(call), call.given
    records = call.cloud.store.read_stream(execution.resource.stream)
    events = history(map(codec.from_record, records), include_data=given.get("IncludeExecutionData", True))
    if given.get("ReverseOrder"):
        events.reverse()
    items, marker = _page(given, events, lambda event: int(event["EventId"]))
    return {"Events": items, "NextMarker": marker}


def _page(given: Json, items: list[Any], number: Callable[[Any], int]) -> tuple[list[Any], str | None]:
    """Up to MaxItems items behind the one whose number the marker tells."""
    after, most = key_of(given.get("Marker")), given.get("MaxItems") or USUAL_PAGE
    begin = 0
    if after:
        begin = next((at + 1 for at, item in enumerate(items) if str(number(item)) == after), -1)
    if begin < 0:
        raise invalid("The pagination marker is not valid.")
    chosen = items[begin : begin + most]
    more = begin + most < len(items)
    return chosen, marker_of(str(number(chosen[-1]))) if more and chosen else None


@operation("GetDurableExecutionState")
def get_durable_execution_state(call: Call) -> Output:
    """Operations that a replay needs, in the order of their starts, for the bearer of the present token."""
    execution = _execution(call)
    row = call.cloud.views.document("executions", execution.resource.key)
    if row is None or row["Id"] != execution.id:
        raise wrong_token()
    if sequence_of(call.given["CheckpointToken"], execution.id) != row["Sequence"]:
        raise wrong_token()
    rows = call.cloud.views.scan("execution_operations", execution.resource.row_key(""))
    operations = _replayed([(int(key[-8:]), codec.document(value), len(value)) for key, value in rows])
    items, marker = _page(call.given, operations, lambda each: int(each[0]))
    items, cut = _bounded(items)
    return {"Operations": [each[1] for each in items], "NextMarker": cut or marker}


_Numbered = tuple[int, dict[str, Any], int]


def _replayed(operations: list[_Numbered]) -> list[_Numbered]:
    """Operations without those inside contexts that are closed and not to be replayed (API reference)."""
    closed, kept = set[str](), list[_Numbered]()
    for numbered in operations:
        shown = numbered[1]
        inside = shown.get("ParentId") in closed
        over = shown["Type"] == "CONTEXT" and shown["Status"] in {"SUCCEEDED", "FAILED"}
        if inside or (over and not shown.get("ContextDetails", {}).get("ReplayChildren")):
            closed.add(shown["Id"])
        if not inside:
            kept.append(numbered)
    return kept


def _bounded(items: list[_Numbered]) -> tuple[list[_Numbered], str | None]:
    """As many as fit one answer, at least one, and the marker behind them when some do not."""
    size = 0
    for at, (_, _, length) in enumerate(items):
        size += length
        if at and size > MOST_PAGE_BYTES:
            return items[:at], marker_of(str(items[at - 1][0]))
    return items, None


@operation("ListDurableExecutionsByFunction")
def list_durable_executions_by_function(call: Call) -> Output:
    """Executions of a function, the newest first; ReverseOrder puts the oldest first (API reference)."""
    function, qualifier = call.function()
    if call.cloud.views.head(function) is None:
        raise not_found(f"Function not found: {function.arn(qualifier)}")
    version = None if qualifier is None else call.cloud.views.qualified(function, qualifier).version
    wanted, now_ms = _filter(call.given), call.now_ms()

    def decode(value: bytes) -> Json | None:
        row = codec.document(value)
        expired = row["ExpiresMs"] is not None and row["ExpiresMs"] <= now_ms
        if expired or version not in {None, row["Version"]} or not wanted(row["Shown"]):
            return None
        shown: Json = row["Shown"]
        return shown

    table = "executions_oldest" if call.given.get("ReverseOrder") else "executions_newest"
    given = {"Marker": call.given.get("Marker"), "MaxItems": call.given.get("MaxItems") or USUAL_PAGE}
    items, marker = page(call.cloud.store, table, function.row_key(""), given, decode, LONGEST_PAGE)
    return {"DurableExecutions": items, "NextMarker": marker}


def _filter(given: Json) -> Callable[[Json], bool]:
    name, statuses = given.get("DurableExecutionName"), given.get("Statuses")
    after, before = given.get("StartedAfter"), given.get("StartedBefore")

    def wanted(shown: Json) -> bool:
        return (
            (name is None or shown["DurableExecutionName"] == name)
            and (not statuses or shown["Status"] in statuses)
            and (after is None or shown["StartTimestamp"] > after)
            and (before is None or shown["StartTimestamp"] < before)
        )

    return wanted


@operation("StopDurableExecution")
def stop_durable_execution(call: Call) -> Output:
    """Answers when it ended, which may be before this request."""
    execution = _existing(call)
    command = StopExecution(
        resource=execution.resource, at_ms=call.now_ms(), execution_id=execution.id, error=_error(call)
    )
    state: DurableState = call.cloud.ask(command)
    return {"StopTimestamp": (state.ended_ms or command.at_ms) / 1000}


def _error(call: Call) -> Json | None:
    error: Json | None = call.given.get("Error")
    if error is not None and error_size(error) > LONGEST_ERROR:
        raise invalid(f"The error's members have more than {LONGEST_ERROR} bytes together.")
    return error


@operation("PauseDurableExecution")
def pause_durable_execution(call: Call) -> Output:
    """Answers nothing."""
    execution, given = _existing(call), call.given
    command = PauseExecution(
        resource=execution.resource,
        at_ms=call.now_ms(),
        execution_id=execution.id,
        reason=given.get("Reason"),
        timeout_paused=given.get("ExecutionTimeoutPaused", True),
        client_token=given.get("ClientToken") or "",
    )
    call.cloud.ask(command)
    return None


@operation("ResumeDurableExecution")
def resume_durable_execution(call: Call) -> Output:
    """Answers nothing."""
    execution, given = _existing(call), call.given
    command = ResumeExecution(
        resource=execution.resource,
        at_ms=call.now_ms(),
        execution_id=execution.id,
        reason=given.get("Reason"),
        client_token=given.get("ClientToken") or "",
    )
    call.cloud.ask(command)
    return None


@operation("DeleteDurableExecution")
def delete_durable_execution(call: Call) -> Output:
    """Answers when the deletion was taken; it is over soon after."""
    execution = _existing(call)
    command = DeleteExecution(resource=execution.resource, at_ms=call.now_ms(), execution_id=execution.id)
    call.cloud.ask(command)
    return {"DeletionRequestTimestamp": command.at_ms / 1000}


@operation("CheckpointDurableExecution")
def checkpoint_durable_execution(call: Call) -> Output:
    """The next token, and what the function has not seen yet."""
    execution, given = _execution(call), call.given
    if call.cloud.views.document("executions", execution.resource.key) is None:
        raise wrong_token()
    command = TakeCheckpoint(
        resource=execution.resource,
        at_ms=call.now_ms(),
        execution_id=execution.id,
        token=given["CheckpointToken"],
        updates=given.get("Updates") or (),
        client_token=given.get("ClientToken") or "",
    )
    state: DurableState = call.cloud.ask(command)
    operations = [show_operation(each) for each in changed_since(state, command.token)]
    return {
        "CheckpointToken": token_of(state.id, state.sequence),
        "NewExecutionState": {"Operations": operations},
    }


def _callback(call: Call) -> CallbackName:
    """What the callback id stands for, if it is the caller's. Raises Refusal: ResourceNotFoundException."""
    name = read_callback_id(call.given["CallbackId"])
    if name is None or name.resource.scope != call.scope or not _is_there(call, name.resource):
        raise _no_callback()
    return name


def _is_there(call: Call, resource: ResourceName) -> bool:
    return call.cloud.views.document("executions", resource.key) is not None


def _no_callback() -> Refusal:
    return not_found("The callback does not exist.")


@operation("SendDurableExecutionCallbackSuccess")
def send_durable_execution_callback_success(call: Call) -> Output:
    """Answers nothing."""
    return _answer(call, succeeded=True, result=_result(call.given.get("Result")))


def _result(payload: bytes | None) -> str | None:
    try:
        return None if payload is None else payload.decode()
    except UnicodeDecodeError:
        raise invalid("The result is no text in UTF-8.") from None


@operation("SendDurableExecutionCallbackFailure")
def send_durable_execution_callback_failure(call: Call) -> Output:
    """Answers nothing."""
    return _answer(call, succeeded=False, error=_error(call))


def _answer(call: Call, *, succeeded: bool, result: str | None = None, error: Json | None = None) -> Output:
    name = _callback(call)
    command = AnswerCallback(
        resource=name.resource,
        at_ms=call.now_ms(),
        execution_id=name.execution_id,
        operation_id=name.operation_id,
        succeeded=succeeded,
        result=result,
        error=error,
    )
    call.cloud.ask(command)
    return None


@operation("SendDurableExecutionCallbackHeartbeat")
def send_durable_execution_callback_heartbeat(call: Call) -> Output:
    """Answers nothing."""
    name = _callback(call)
    command = BeatHeart(
        resource=name.resource,
        at_ms=call.now_ms(),
        execution_id=name.execution_id,
        operation_id=name.operation_id,
    )
    call.cloud.ask(command)
    return None
