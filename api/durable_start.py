"""Invoke of a durable function: an execution is started under its name, and waited for when the caller waits."""

from base64 import b64encode
from typing import Any

import msgspec

from relambda.actors.domain.durable import StartExecution
from relambda.actors.domain.durable_names import Execution, execution_stream
from relambda.actors.domain.durable_state import DurableState
from relambda.actors.domain.names import ResourceName
from relambda.actors.domain.refusals import Refusal, not_found
from relambda.api.call import Call

LONGEST_WAIT_SECONDS = 900.0
"""A synchronous invocation of a durable function (Developer Guide, "Invoking durable functions")."""


def start_execution(
    call: Call, function: ResourceName, qualifier: str | None, number: str, payload: bytes
) -> Execution:
    """Start an execution of a version; the name and input of one that is there give that one. Raises Refusal."""
    version = call.cloud.views.version(function, number)
    if version is None:
        raise not_found(f"Function not found: {function.arn(qualifier)}")
    name = call.given.get("DurableExecutionName") or call.cloud.new_id()
    resource = execution_stream(call.scope, function.name, name)
    command = StartExecution(
        resource=resource,
        at_ms=call.now_ms(),
        id=call.cloud.new_id(),
        version=number,
        function_arn=function.arn(qualifier),
        input=payload.decode(),
        config=version.config["DurableConfig"],
        trace_id=call.trace_id,
    )
    state: DurableState = call.cloud.ask(command)
    return Execution(resource, state.version, state.id)


def await_execution(call: Call, execution: Execution) -> dict[str, Any]:
    """Invoke's answer when the execution has ended, whoever ends it. Raises Refusal when that takes too long."""
    try:
        state: DurableState = call.cloud.await_end(execution.resource, execution.id, LONGEST_WAIT_SECONDS)
    except TimeoutError:
        message = f"{execution.arn} has not ended within {LONGEST_WAIT_SECONDS:.0f} s."
        raise Refusal("ServiceException", message) from None
    return _answer(call, execution, state)


def _answer(call: Call, execution: Execution, state: DurableState) -> dict[str, Any]:
    output: dict[str, Any] = {
        "StatusCode": 200,
        "ExecutedVersion": execution.version,
        "DurableExecutionArn": execution.arn,
        "Payload": (state.result or "null").encode(),
    }
    if state.status != "SUCCEEDED":
        error = state.error or {}
        error_type = error.get("ErrorType") or f"DurableExecution.{state.status}"
        failure = {"errorType": error_type, "errorMessage": error.get("ErrorMessage")}
        output |= {"FunctionError": "Unhandled", "Payload": msgspec.json.encode(failure)}
    if call.given.get("LogType") == "Tail":
        output["LogResult"] = b64encode(b"").decode()
    return output
