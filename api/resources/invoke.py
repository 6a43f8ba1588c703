"""Invoke: run a function and answer what it answers."""

from base64 import b64decode, b64encode
from typing import Any

import msgspec

from relambda.actors.domain.refusals import Refusal, invalid
from relambda.actors.invocation import Invocation
from relambda.api.call import Call, Output, operation


@operation("Invoke")
def invoke(call: Call) -> Output:
    """RequestResponse waits for the function; DryRun tells whether it could be invoked."""
    function, qualifier = call.function()
    given = call.given
    kind = given.get("InvocationType", "RequestResponse")
    payload = given.get("Payload") or b"{}"
    _check_json(payload)
    if kind == "DryRun":
        call.cloud.views.qualified(function, qualifier)
        return {"StatusCode": 204}
    if kind == "Event":
        raise Refusal("ServiceException", "Relambda does not run asynchronous invocations yet.")
    invocation = Invocation(
        request_id=call.request_id,
        qualifier=qualifier,
        payload=payload,
        tail=given.get("LogType") == "Tail",
        trace_id=call.trace_id,
        client_context=_client_context(given.get("ClientContext")),
        tenant_id=given.get("TenantId") or "",
    )
    outcome = call.cloud.invoke(function, invocation)
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


def _check_json(payload: bytes) -> None:
    """The event must be JSON (FACTS.md section 2)."""
    try:
        msgspec.json.decode(payload, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal(
            "InvalidRequestContentException",
            f"Could not parse request body into json: Could not parse payload into json: {error}",
        ) from None


def _client_context(encoded: str | None) -> str:
    if not encoded:
        return ""
    try:
        return b64decode(encoded, validate=True).decode()
    except ValueError:
        raise invalid("Client context must be a valid Base64-encoded JSON object.") from None
