"""Inputs gathered from path, query, headers and body."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relambda.api.wire.errors import ServiceError
from relambda.api.wire.jsonread import loads
from relambda.api.wire.model import Service
from relambda.api.wire.parse import parse_input, takes_raw_payload
from relambda.api.wire.router import Match
from relambda.api.wire.textvalue import read_timestamp

Ask = Callable[..., tuple[str, dict[str, Any]]]


def test_headers_are_read_in_any_case(ask: Ask) -> None:
    """An Invoke's header members arrive whatever case a server gives them, its body untouched."""
    headers = {"X-AMZ-CLIENT-CONTEXT": "e30=", "x-amz-log-type": "Tail", "Content-Type": "x"}

    name, given = ask("POST", "/2015-03-31/functions/f/invocations", headers=headers, body=b"\x00not json")

    assert name == "Invoke"
    assert given == {"FunctionName": "f", "ClientContext": "e30=", "LogType": "Tail", "Payload": b"\x00not json"}


def test_query_members_have_their_types(ask: Ask) -> None:
    """Integers, booleans, times and repeated keys of a query string come out typed."""
    query = "ReverseOrder=true&MaxItems=7&Statuses=RUNNING&Statuses=FAILED&StartedAfter=2026-01-02T03%3A04%3A05.5Z"

    name, given = ask("GET", "/2025-12-01/functions/f/durable-executions", query)

    assert name == "ListDurableExecutionsByFunction"
    assert given == {
        "FunctionName": "f",
        "ReverseOrder": True,
        "MaxItems": 7,
        "Statuses": ["RUNNING", "FAILED"],
        "StartedAfter": 1767323045.5,
    }


def test_null_members_are_absent_and_unknown_ones_dropped(ask: Ask) -> None:
    """A null is as good as nothing, and what the model does not know is no error."""
    body = json.dumps({"Description": None, "Timeout": 3.0, "Surprise": 1, "Environment": {"Variables": {}}}).encode()

    _, given = ask("PUT", "/2015-03-31/functions/f/configuration", body=body)

    assert given == {"FunctionName": "f", "Timeout": 3, "Environment": {"Variables": {}}}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"Timeout": "3"}, "STRING_VALUE can not be converted to an Integer"),
        ({"Timeout": True}, "TRUE_VALUE can not be converted to an Integer"),
        ({"Timeout": 2**31}, "NUMBER_VALUE can not be converted to an Integer"),
        ({"Description": 1}, "NUMBER_VALUE can not be converted to a String"),
        ({"Description": {}}, "Start of structure or map found where not expected."),
        ({"Description": []}, "Start of list found where not expected"),
        ({"Environment": {"Variables": {"A1": {}}}}, "Start of structure or map found where not expected."),
        ({"Environment": "x"}, "Unexpected field type"),
        ({"Layers": "x"}, "Unexpected field type"),
        ([], "Start of list found where not expected"),
    ],
)
def test_wrong_types_are_refused_in_awss_words(ask: Ask, document: Any, message: str) -> None:
    """A value of the wrong JSON type is a SerializationException that names what it found."""
    with pytest.raises(ServiceError) as refused:
        ask("PUT", "/2015-03-31/functions/f/configuration", body=json.dumps(document).encode())

    assert (refused.value.code, refused.value.message) == ("SerializationException", message)


@pytest.mark.parametrize("body", [b"{", b"\xff", b"{'a':1}", b"[" * 1_000_000, b'{"Timeout":1e999}', b'"\\ud800"'])
def test_broken_json_is_refused(ask: Ask, body: bytes) -> None:
    """What is no JSON, or nests without end, is refused and not a failure of the server."""
    with pytest.raises(ServiceError) as refused:
        ask("PUT", "/2015-03-31/functions/f/configuration", body=body)

    assert refused.value.code == "SerializationException"


@given(body=st.binary())
def test_json_is_read_or_refused(body: bytes) -> None:
    """No bytes make the reader fail in any other way than by its refusal."""
    try:
        outcome = msgspec.json.encode(loads(body))
    except ServiceError as refusal:
        outcome = refusal.code.encode()

    assert outcome


@pytest.mark.parametrize("query", ["MaxItems=many", "MaxItems=", "MaxItems=99999999999", "MaxItems=1e2", "MaxItems=٣"])
def test_query_integers_are_ascii_and_small(ask: Ask, query: str) -> None:
    """A number that is none, or that no integer holds, is refused."""
    with pytest.raises(ServiceError) as refused:
        ask("GET", "/2015-03-31/functions", query)

    assert refused.value.code == "SerializationException"


def test_blobs_in_json_are_base64(ask: Ask) -> None:
    """Code.ZipFile comes out as bytes; what is no base64 is refused."""
    path = "/2015-03-31/functions/f/code"

    assert ask("PUT", path, body=b'{"ZipFile":"UEsDBA=="}')[1]["ZipFile"] == b"PK\x03\x04"
    with pytest.raises(ServiceError):
        ask("PUT", path, body=b'{"ZipFile":"U!"}')


def test_a_structure_payload_is_the_document(ask: Ask) -> None:
    """StopDurableExecution's body is the error object itself."""
    path = "/2025-12-01/durable-execution-callbacks/dG9r/fail"

    _, given = ask("POST", path, body=b'{"ErrorType":"T","StackTrace":["a"]}')

    assert given == {"CallbackId": "dG9r", "Error": {"ErrorType": "T", "StackTrace": ["a"]}}


def test_raw_payloads_are_known_before_the_body_is_read(lambda_model: Service) -> None:
    """The front end can tell an event to pass on from a document to parse."""
    raw = {name for name in lambda_model.operation_names() if takes_raw_payload(lambda_model.operation(name))}

    assert raw == {"Invoke", "InvokeAsync", "InvokeWithResponseStream", "SendDurableExecutionCallbackSuccess"}


def test_operations_without_body_members_read_no_body(lambda_model: Service) -> None:
    """A body that an operation has no use for is not even parsed."""
    match = Match(lambda_model.operation("GetFunction"), {"FunctionName": "f"})

    assert parse_input(match, {}, {}, b"{broken") == {"FunctionName": "f"}


@pytest.mark.parametrize(
    "text", ["2026-01-02T03:04:05Z", "2026-01-02T04:04:05+01:00", "Fri, 02 Jan 2026 03:04:05 GMT", "1767323045"]
)
def test_times_are_read_in_each_form(text: str) -> None:
    """ISO 8601, an HTTP date and seconds all mean the same moment."""
    assert read_timestamp(text) == 1767323045.0


@pytest.mark.parametrize("text", ["", "nan", "inf", "yesterday", "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """A text that is no time is a SerializationException."""
    with pytest.raises(ServiceError) as refused:
        read_timestamp(text)

    assert refused.value.message == "STRING_VALUE can not be converted to milliseconds since epoch"
