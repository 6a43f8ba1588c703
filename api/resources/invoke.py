"""Invoke in its four ways: wait for the answer, stream it, only queue the event, only tell whether it would work.

Warm synchronous invokes are the way everything else must not slow down: they read no view. What concerns only some
functions (tenants, durable ones) is told by the function's actor, which has its configuration at hand.
"""

from base64 import b64encode
from typing import Any

from relambda.actors.domain.async_invocation import AcceptInvocation, queue_of
from relambda.actors.domain.names import LATEST, ResourceName
from relambda.actors.domain.refusals import invalid
from relambda.actors.domain.routing import DurableFunctionError, check_admission, serving
from relambda.actors.invocation import Invocation, Outcome
from relambda.api.call import Call, Output, operation
from relambda.api.durable_start import await_execution, start_execution
from relambda.api.event_stream import CONTENT_TYPE, invoke_complete, payload_chunks
from relambda.api.payloads import checked, checked_async, client_context, content
from relambda.api.tracing import trace_for
from relambda.api.wire.response import Response


@operation("Invoke")
def invoke(call: Call) -> Output:
    """RequestResponse waits for the function, Event queues, DryRun tells whether the function could be invoked."""
    kind = call.given.get("InvocationType", "RequestResponse")
    function, qualifier = call.function()
    if kind == "DryRun":
        return _dry_run(call, function, qualifier)
    if kind == "Event":
        return _event(call, function, qualifier)
    payload = checked(call.given.get("Payload"))
    if "DurableExecutionName" in call.given:
        number = _durable_version(call, function, qualifier)
        return await_execution(call, start_execution(call, function, qualifier, number, payload))
    invocation = _invocation(call, function, qualifier, payload)
    try:
        outcome = call.cloud.invoke(function, invocation)
    except DurableFunctionError as durable:
        return await_execution(call, start_execution(call, function, qualifier, durable.version, payload))
    return _answer(invocation, outcome)


def _answer(invocation: Invocation, outcome: Outcome) -> dict[str, Any]:
    output: dict[str, Any] = {
        "StatusCode": 200,
        "ExecutedVersion": outcome.executed_version,
        "Payload": outcome.payload,
    }
    if outcome.function_error:
        output["FunctionError"] = outcome.function_error
    if invocation.tail:
        output["LogResult"] = b64encode(outcome.log_tail).decode()
    return output


@operation("InvokeWithResponseStream")
def invoke_with_response_stream(call: Call) -> Output:
    """The answer as a stream of events; a refusal before the first is an ordinary one (FACTS.md section 6)."""
    function, qualifier = call.function()
    if call.given.get("InvocationType") == "DryRun":
        return _dry_run(call, function, qualifier)
    invocation = _invocation(call, function, qualifier, checked(call.given.get("Payload")))
    outcome = call.cloud.invoke(function, invocation)
    log = b64encode(outcome.log_tail).decode() if invocation.tail else ""
    if outcome.function_error:
        details = outcome.payload.decode(errors="replace")
        body = invoke_complete(error_code=outcome.function_error, error_details=details, log_result=log)
    else:
        body = b"".join([*payload_chunks(outcome.payload), invoke_complete(log_result=log)])
    headers = {
        "Content-Type": CONTENT_TYPE,
        "x-amzn-RequestId": call.request_id,
        "X-Amz-Executed-Version": outcome.executed_version,
    }
    return Response(200, headers, body)


@operation("InvokeAsync")
def invoke_async(call: Call) -> Output:
    """Queues the event, as Invoke does for Event; an older form of it."""
    function, qualifier = call.function()
    _admit(call, function, qualifier)
    _accept(call, function, qualifier, checked(call.given.get("InvokeArgs")))
    return {"Status": 202}


def _dry_run(call: Call, function: ResourceName, qualifier: str | None) -> Output:
    checked(call.given.get("Payload"))
    try:
        _admit(call, function, qualifier)
    except DurableFunctionError:
        return {"StatusCode": 204}
    return {"StatusCode": 204}


def _event(call: Call, function: ResourceName, qualifier: str | None) -> Output:
    """Answers when the event is durable, before the function runs."""
    payload = checked_async(call.given.get("Payload"))
    try:
        _admit(call, function, qualifier)
    except DurableFunctionError as durable:
        execution = start_execution(call, function, qualifier, durable.version, payload)
        return {"StatusCode": 202, "DurableExecutionArn": execution.arn}
    if "DurableExecutionName" in call.given:
        raise _not_durable()
    _accept(call, function, qualifier, payload)
    return {"StatusCode": 202}


def _accept(call: Call, function: ResourceName, qualifier: str | None, payload: bytes) -> None:
    command = AcceptInvocation(
        resource=queue_of(function),
        at_ms=call.now_ms(),
        request_id=call.request_id,
        qualifier=qualifier,
        payload=content(call.cloud.blobs, payload),
        trace_id=trace_for(call, function),
        tenant_id=call.given.get("TenantId") or "",
    )
    call.cloud.ask(command)


def _admit(call: Call, function: ResourceName, qualifier: str | None) -> None:
    """Refuse what the function would refuse now. Raises Refusal, DurableFunctionError."""
    version = serving(call.cloud.views.qualified(function, qualifier or LATEST))
    check_admission(version, qualifier, call.given.get("TenantId") or "")


def _durable_version(call: Call, function: ResourceName, qualifier: str | None) -> str:
    """The version of which an execution is to be started. Raises Refusal when the function is not durable."""
    try:
        _admit(call, function, qualifier)
    except DurableFunctionError as durable:
        return durable.version
    raise _not_durable()


def _not_durable() -> Exception:
    return invalid("A durable execution name was given for a function that is not durable.")


def _invocation(call: Call, function: ResourceName, qualifier: str | None, payload: bytes) -> Invocation:
    given = call.given
    return Invocation(
        request_id=call.request_id,
        qualifier=qualifier,
        payload=payload,
        tail=given.get("LogType") == "Tail",
        trace_id=trace_for(call, function),
        client_context=client_context(given.get("ClientContext")),
        tenant_id=given.get("TenantId") or "",
    )
