"""Invoke in all its ways, InvokeAsync and InvokeWithResponseStream, as an SDK sees them."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

Make = Callable[..., Any]
PROBE = """
import os

def handler(event, context):
    print("seen", event)
    if event == "raise":
        raise ValueError("no")
    sent = context.client_context
    return {
        "event": event,
        "arn": context.invoked_function_arn,
        "custom": sent and sent.custom,
        "tenant": context.tenant_id,
        "environment": context.log_stream_name,
        "trace": os.environ["_X_AMZN_TRACE_ID"],
    }
"""
SIX_MEGABYTES = 6 * 1024 * 1024
NOT_JSON = (
    "Could not parse request body into json: Could not parse payload into json: Unrecognized token 'hello': was "
    "expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at [Source: REDACTED "
    "(`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 6]"
)


def arn(name: str, qualifier: str = "") -> str:
    return f"arn:aws:lambda:us-east-1:111111111111:function:{name}" + (f":{qualifier}" if qualifier else "")


@pytest.fixture(scope="module")
def probe(aws: Any, request_of: Any, make_zip: Any, wait: Any, fresh: Any) -> Iterator[str]:
    """A function that tells what it was given, published as version 1 with the alias live."""
    name = fresh("probe")
    aws.create_function(**request_of(FunctionName=name, Code={"ZipFile": make_zip(PROBE)}))
    wait("function_active_v2", name)
    aws.publish_version(FunctionName=name)
    aws.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    yield name
    aws.delete_function(FunctionName=name)


def told(answer: dict[str, Any]) -> Any:
    return json.load(answer["Payload"])


@pytest.mark.proves("Invoke")
def test_an_answer(aws: Any, probe: str) -> None:
    """Given an event, then the function's answer, its version, and its log when that is asked for."""
    answer = aws.invoke(FunctionName=probe, Payload='{"a": 1}', LogType="Tail")

    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    assert (shown := told(answer))["event"] == {"a": 1}
    assert shown["arn"] == arn(probe)
    assert b"seen {'a': 1}" in b64decode(answer["LogResult"])
    assert "LogResult" not in aws.invoke(FunctionName=probe)


@pytest.mark.proves("Invoke")
def test_who_is_meant(aws: Any, probe: str) -> None:
    """Given a version or alias in the name or beside it, then that one runs and is told by which ARN it was called."""
    for name, qualifier, called in (
        (f"{probe}:1", None, "1"),
        (probe, "live", "live"),
        (arn(probe, "live"), "live", "live"),
        (f"111111111111:function:{probe}:$LATEST", None, "$LATEST"),
    ):
        answer = aws.invoke(FunctionName=name, **({"Qualifier": qualifier} if qualifier else {}))
        assert answer["ExecutedVersion"] == ("1" if called == "live" else called)
        assert told(answer)["arn"] == arn(probe, called)


@pytest.mark.proves("Invoke")
def test_a_client_context(aws: Any, probe: str, refused: Any) -> None:
    """Given a client context in base64, then the function has it; what is none, or too long, is refused."""
    context = b64encode(b'{"custom": {"shop": "7"}}').decode()
    assert told(aws.invoke(FunctionName=probe, ClientContext=context))["custom"] == {"shop": "7"}
    assert refused(aws.invoke, FunctionName=probe, ClientContext="string").told == (
        *(400, "InvalidRequestContentException"),
        "Client context must be a valid Base64-encoded JSON object.",
    )
    long = b64encode(b'{"custom": {"shop": "%s"}}' % (b"7" * 2_700)).decode()
    answer = refused(aws.invoke, FunctionName=probe, ClientContext=long)
    assert answer.told[:2] == (400, "InvalidRequestContentException")


@pytest.mark.proves("Invoke")
def test_a_dry_run(aws: Any, probe: str, refused: Any, position: Any) -> None:
    """Given a dry run, then 204 and nothing runs, or what the invocation itself would be refused with."""
    before = position()
    answer = aws.invoke(FunctionName=probe, InvocationType="DryRun", Payload=b'"raise"')
    assert (answer["StatusCode"], answer["Payload"].read()) == (204, b"")
    assert "ExecutedVersion" not in answer
    answer = refused(aws.invoke, FunctionName=probe, Qualifier="none", InvocationType="DryRun")
    assert answer.told == (404, "ResourceNotFoundException", f"Function not found: {arn(probe, 'none')}")
    assert position() == before


@pytest.mark.proves("Invoke", "InvokeAsync", "InvokeWithResponseStream")
def test_of_no_function(aws: Any, refused: Any, fresh: Any, position: Any) -> None:
    """Given a name of no function, then it is not found, by its $LATEST, however it is invoked."""
    missing, before = fresh(), position()
    expected = (404, "ResourceNotFoundException", f"Function not found: {arn(missing, '$LATEST')}")
    for kind in ("RequestResponse", "Event", "DryRun"):
        answer = refused(aws.invoke, FunctionName=missing, InvocationType=kind)
        assert (answer.told, answer.type) == (expected, "User")
    assert refused(aws.invoke_with_response_stream, FunctionName=missing).told == expected
    assert refused(aws.invoke_async, FunctionName=missing, InvokeArgs=b"{}").told == expected
    assert position() == before


@pytest.mark.proves("Invoke", "InvokeAsync", "InvokeWithResponseStream")
def test_payloads_that_are_no_json(aws: Any, probe: str, refused: Any, position: Any) -> None:
    """Given a payload that is no JSON, then AWS's parser tells what is wrong, however it is invoked."""
    before, expected = position(), (400, "InvalidRequestContentException", NOT_JSON)
    for kind in ("RequestResponse", "Event", "DryRun"):
        assert refused(aws.invoke, FunctionName=probe, InvocationType=kind, Payload=b"hello").told == expected
    assert refused(aws.invoke_with_response_stream, FunctionName=probe, Payload=b"hello").told == expected
    assert refused(aws.invoke_async, FunctionName=probe, InvokeArgs=b"hello").told == expected
    assert position() == before


@pytest.mark.proves("Invoke", "InvokeAsync", "InvokeWithResponseStream")
def test_payloads_that_are_too_large(aws: Any, probe: str, refused: Any, position: Any) -> None:
    """Given a byte too much, then 413 with AWS's numbers: 6 MB synchronous, 1 MB as an event, 256 KB InvokeAsync."""
    before, code = position(), "RequestEntityTooLargeException"

    def json_of(size: int) -> bytes:
        return b'"' + b"x" * (size - 2) + b'"'

    words = "Request must be smaller than {} bytes for the {} operation"
    answer = refused(aws.invoke, FunctionName=probe, Payload=json_of(SIX_MEGABYTES + 1))
    assert answer.told == (413, code, words.format(SIX_MEGABYTES, "InvokeFunction"))
    assert answer.type is None
    answer = refused(aws.invoke_with_response_stream, FunctionName=probe, Payload=json_of(SIX_MEGABYTES + 1))
    assert answer.told == (413, code, words.format(SIX_MEGABYTES, "InvokeWithResponseStream"))
    answer = refused(aws.invoke_async, FunctionName=probe, InvokeArgs=json_of(262_145))
    assert answer.told == (413, code, words.format(262_144, "InvokeAsync"))
    answer = refused(aws.invoke, FunctionName=probe, InvocationType="Event", Payload=json_of(1_048_577))
    assert answer.told == (
        *(413, code),
        "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)",
    )
    assert position() == before
    largest = aws.invoke(FunctionName=probe, Payload=json_of(1_048_577))
    assert len(told(largest)["event"]) == 1_048_575


@pytest.mark.proves("Invoke", "InvokeAsync")
def test_events_are_accepted_and_run(aws: Any, probe: str, position: Any) -> None:
    """Given events, then 202 with nothing in it, and each is done with: two events in the log for each."""
    before = position()
    answer = aws.invoke(FunctionName=probe, InvocationType="Event", Payload=b'{"a": 1}')
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    assert not {"ExecutedVersion", "FunctionError", "LogResult"} & answer.keys()
    answer = aws.invoke(FunctionName=probe, Qualifier="live", InvocationType="Event")
    assert answer["StatusCode"] == 202
    answer = aws.invoke_async(FunctionName=probe, InvokeArgs=b"{}")
    assert (answer["Status"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (202, 202)
    assert any(position() == before + 6 for _ in range(20_000))


@pytest.mark.proves("Invoke", "PutFunctionConcurrency")
def test_events_of_a_function_that_may_not_run(aws: Any, make_function: Make, position: Any) -> None:
    """Given a reserved concurrency of 0, when an event comes, then 202, and it is dropped without a run."""
    name = make_function()["FunctionName"]
    aws.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    before = position()
    assert aws.invoke(FunctionName=name, InvocationType="Event")["StatusCode"] == 202
    assert any(position() == before + 2 for _ in range(20_000))


@pytest.mark.proves("Invoke", "PutFunctionConcurrency")
def test_a_function_that_may_not_run(aws: Any, make_function: Make, refused: Any) -> None:
    """Given a reserved concurrency of 0, when it is waited for, then 429 with AWS's reason and when to try again."""
    name = make_function()["FunctionName"]
    aws.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    answer = refused(aws.invoke, FunctionName=name)
    assert answer.told == (429, "TooManyRequestsException", "Rate Exceeded.")
    assert answer.members["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert answer.headers["retry-after"]


@pytest.mark.proves("Invoke", "CreateFunction")
def test_tenants(aws: Any, make_function: Make, make_zip: Any, refused: Any, position: Any) -> None:
    """Given tenant isolation, then each tenant has environments of its own, and an invocation must name its tenant."""
    code = {"Code": {"ZipFile": make_zip(PROBE)}, "TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}
    name = make_function(**code)["FunctionName"]
    shown = [told(aws.invoke(FunctionName=name, TenantId=tenant)) for tenant in ("blue", "green", "blue")]
    assert [each["tenant"] for each in shown] == ["blue", "green", "blue"]
    blue, green, blue_again = (each["environment"] for each in shown)
    assert blue == blue_again != green
    before = position()
    for kind in ("RequestResponse", "Event", "DryRun"):
        answer = refused(aws.invoke, FunctionName=name, InvocationType=kind)
        assert answer.told[:2] == (400, "InvalidParameterValueException")
        assert answer.message.startswith("Tenant ID configuration not specified")
    assert position() == before


@pytest.mark.proves("Invoke")
def test_a_tenant_where_there_are_none(aws: Any, probe: str, refused: Any, position: Any) -> None:
    """Given an ordinary function, when a tenant is named, then it is refused."""
    before = position()
    for kind in ("RequestResponse", "Event", "DryRun"):
        answer = refused(aws.invoke, FunctionName=probe, InvocationType=kind, TenantId="blue")
        assert answer.told[:2] == (400, "InvalidParameterValueException")
    assert position() == before


def streamed(answer: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """What came in chunks, and the last event."""
    with closing(answer["EventStream"]) as stream:
        events = list(stream)
    chunks = [event["PayloadChunk"]["Payload"] for event in events if "PayloadChunk" in event]
    assert "InvokeComplete" in events[-1]
    return b"".join(chunks), dict(events[-1]["InvokeComplete"])


@pytest.mark.proves("InvokeWithResponseStream")
def test_a_streamed_answer(aws: Any, probe: str) -> None:
    """Given an event, then the answer comes in chunks and the log at the end, with the version in the headers."""
    answer = aws.invoke_with_response_stream(FunctionName=probe, Qualifier="live", Payload=b'"hi"', LogType="Tail")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "1")
    assert answer["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    payload, last = streamed(answer)
    assert json.loads(payload)["event"] == "hi"
    assert b"seen hi" in b64decode(last["LogResult"])
    assert "ErrorCode" not in last


@pytest.mark.proves("InvokeWithResponseStream")
def test_a_streamed_failure(aws: Any, probe: str) -> None:
    """Given a function that raises, then the stream ends with the error."""
    _, last = streamed(aws.invoke_with_response_stream(FunctionName=probe, Payload=b'"raise"'))
    assert last["ErrorCode"] == "Unhandled"
    assert json.loads(last["ErrorDetails"])["errorType"] == "ValueError"


@pytest.mark.proves("InvokeWithResponseStream")
def test_a_dry_run_of_a_stream(aws: Any, probe: str, position: Any) -> None:
    """Given a dry run, then 204 and nothing runs."""
    before = position()
    answer = aws.invoke_with_response_stream(FunctionName=probe, InvocationType="DryRun")
    with closing(answer["EventStream"]):
        assert answer["StatusCode"] == 204
    assert position() == before


@pytest.mark.proves("Invoke", "PutFunctionRecursionConfig")
def test_a_loop_is_stopped(aws: Any, probe: str, refused: Any) -> None:
    """Given a function that is reached by its own trace 16 times, then the next is refused; allowed, it runs on."""
    trace = ""

    def follow(params: dict[str, Any], **_: Any) -> None:
        params["headers"]["X-Amzn-Trace-Id"] = trace

    aws.meta.events.register("before-call.lambda.Invoke", follow, unique_id="follow")
    try:
        for _ in range(16):
            trace = told(aws.invoke(FunctionName=probe))["trace"]
        answer = refused(aws.invoke, FunctionName=probe)
        assert (answer.status, answer.code, answer.type) == (400, "RecursiveInvocationException", "User")
        aws.put_function_recursion_config(FunctionName=probe, RecursiveLoop="Allow")
        assert "Lineage=" in told(aws.invoke(FunctionName=probe))["trace"]
    finally:
        aws.meta.events.unregister("before-call.lambda.Invoke", unique_id="follow")
        aws.put_function_recursion_config(FunctionName=probe, RecursiveLoop="Terminate")
