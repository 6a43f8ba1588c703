"""Answers as they go out."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from relambda.api.wire.jsonwrite import OutputError
from relambda.api.wire.model import Service
from relambda.api.wire.response import Response
from relambda.api.wire.serialize import serialize


def _answer(service: Service, operation: str, output: dict[str, Any] | None = None) -> Response:
    return serialize(service.operation(operation), output, request_id="r-1")


def test_absent_and_none_members_are_left_out_empty_ones_are_not(lambda_model: Service) -> None:
    """None is as absent as nothing; an empty text, list or map stays."""
    output: dict[str, Any] = {
        "FunctionName": "f",
        "Description": "",
        "Handler": None,
        "Environment": {"Variables": {}},
        "Layers": [],
    }

    answer = _answer(lambda_model, "GetFunctionConfiguration", output)

    assert json.loads(answer.body) == {
        "FunctionName": "f",
        "Description": "",
        "Environment": {"Variables": {}},
        "Layers": [],
    }
    assert answer.headers == {"x-amzn-RequestId": "r-1", "Content-Type": "application/json"}


def test_times_take_the_form_the_model_gives_them(lambda_model: Service) -> None:
    """A function's LastModified is text with milliseconds, a mapping's is a number of seconds."""
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_900, UTC)

    function = _answer(lambda_model, "GetFunctionConfiguration", {"LastModified": moment.timestamp()})
    mapping = _answer(lambda_model, "GetEventSourceMapping", {"LastModified": moment})

    assert json.loads(function.body) == {"LastModified": "2026-01-02T03:04:05.678+0000"}
    assert json.loads(mapping.body) == {"LastModified": 1767323045.679}


def test_an_invoke_answers_its_payload_raw(lambda_model: Service) -> None:
    """Status and headers come from the output; the payload is the body, byte for byte."""
    output = {"StatusCode": 200, "ExecutedVersion": "1", "FunctionError": "Unhandled", "Payload": b"\x00"}

    answer = _answer(lambda_model, "Invoke", output)

    assert (answer.status, answer.body) == (200, b"\x00")
    assert answer.headers["X-Amz-Function-Error"] == "Unhandled"
    assert answer.headers["X-Amz-Executed-Version"] == "1"


def test_an_accepted_event_has_an_empty_body(lambda_model: Service) -> None:
    """An asynchronous Invoke answers 202 and nothing."""
    answer = _answer(lambda_model, "Invoke", {"StatusCode": 202})

    assert (answer.status, answer.body) == (202, b"")


@pytest.mark.parametrize("operation", ["DeleteFunction", "DeleteAlias", "TagResource"])
def test_no_content_is_no_content(lambda_model: Service, operation: str) -> None:
    """AWS answers these with 204 and no body, DeleteFunction against its own model."""
    answer = _answer(lambda_model, operation)

    assert (answer.status, answer.body, "Content-Type" in answer.headers) == (204, b"", False)


def test_an_empty_output_is_an_empty_object(lambda_model: Service) -> None:
    """An output with nothing in it is `{}`."""
    assert _answer(lambda_model, "GetFunctionConcurrency", {}).body == b"{}"


def test_an_event_stream_leaves_its_body_to_the_streamer(lambda_model: Service) -> None:
    """InvokeWithResponseStream has status, headers and no body yet."""
    answer = _answer(lambda_model, "InvokeWithResponseStream", {"StatusCode": 200, "ExecutedVersion": "$LATEST"})

    assert answer.body == b""
    assert answer.headers["Content-Type"] == "application/vnd.amazon.eventstream"


@pytest.mark.parametrize(
    ("operation", "output"),
    [
        ("GetFunctionConfiguration", {"Timeout": "3"}),
        ("GetFunctionConfiguration", {"Misspelt": 1}),
        ("GetFunctionConfiguration", {"Timeout": True}),
        ("GetFunctionConfiguration", {"Layers": {}}),
        ("Invoke", {"Payload": "text"}),
        ("Invoke", {"Misspelt": 1}),
        ("DeleteAlias", {"Name": "a"}),
        ("GetEventSourceMapping", {"LastModified": float("nan")}),
    ],
)
def test_outputs_that_do_not_fit_the_model_are_our_mistake(
    lambda_model: Service, operation: str, output: dict[str, Any]
) -> None:
    """A misspelt or ill-typed member never reaches a caller unseen."""
    with pytest.raises(OutputError):
        _answer(lambda_model, operation, output)
