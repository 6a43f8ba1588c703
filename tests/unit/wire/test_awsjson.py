"""AWS JSON requests and answers, through the same layer as REST-JSON ones."""

import json
from typing import Any

import pytest

from relambda.api.wire.errors import ServiceError, render
from relambda.api.wire.model import load
from relambda.api.wire.service import Head, read_head, read_input, write_output

LOGS = load("logs")
SIGNED = "AWS4-HMAC-SHA256 Credential=123456789012/20260102/eu-west-1/logs/aws4_request, SignedHeaders=host"


def head_of(target: str, method: str = "POST", path: str = "/") -> Head:
    """A signed request with that X-Amz-Target."""
    return read_head(LOGS, method, path, "", SIGNED, target)


def test_the_target_names_the_operation() -> None:
    """Given a target, then its operation, input and caller are read, and the output is a JSON document."""
    head = head_of("Logs_20140328.CreateLogGroup")
    given = read_input(head, {}, b'{"logGroupName": "/g", "tags": {"a": "b"}, "unknown": 1}')

    assert (head.service.name, head.operation.name) == ("logs", "CreateLogGroup")
    assert (head.caller.account, head.caller.region) == ("123456789012", "eu-west-1")
    assert given == {"logGroupName": "/g", "tags": {"a": "b"}}
    empty = write_output(head, None, "r")
    assert (empty.status, empty.body, empty.headers["Content-Type"]) == (200, b"", "application/x-amz-json-1.1")
    groups = write_output(head_of("Logs_20140328.DescribeLogGroups"), {"logGroups": [{"logGroupName": "/g"}]}, "r")
    assert json.loads(groups.body) == {"logGroups": [{"logGroupName": "/g"}]}


@pytest.mark.parametrize(
    ("target", "method", "path"),
    [
        ("Logs_20140328.Nope", "POST", "/"),
        ("Logs_20140328", "POST", "/"),
        ("DynamoDB_20120810.CreateLogGroup", "POST", "/"),
        ("Logs_20140328.CreateLogGroup", "GET", "/"),
        ("Logs_20140328.CreateLogGroup", "POST", "/x"),
    ],
)
def test_what_is_no_operation(target: str, method: str, path: str) -> None:
    """Given a target, method or path that is none of the service's, then AWS's common error."""
    with pytest.raises(ServiceError, match="UnknownOperationException"):
        head_of(target, method, path)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{}", "InvalidParameterException"),
        (b"", "InvalidParameterException"),
        (b'{"logGroupName": "a b"}', "InvalidParameterException"),
        (b'{"logGroupName": 1}', "SerializationException"),
        (b"[", "SerializationException"),
    ],
)
def test_inputs_that_are_refused(body: bytes, code: str) -> None:
    """Given an input that is no document or violates the model, then the service's own code, in AWS's words."""
    with pytest.raises(ServiceError) as refused:
        read_input(head_of("Logs_20140328.CreateLogGroup"), {}, body)
    assert refused.value.code == code
    if body == b"{}":
        told = "Value null at 'logGroupName' failed to satisfy constraint: Member must not be null"
        assert refused.value.message == f"1 validation error detected: {told}"


@pytest.mark.parametrize(
    ("code", "members", "status", "body"),
    [
        ("ResourceNotFoundException", {}, 400, {}),
        ("ServiceUnavailableException", {}, 500, {}),
        ("DataAlreadyAcceptedException", {"expectedSequenceToken": "1"}, 400, {"expectedSequenceToken": "1"}),
        ("NotImplementedException", {}, 501, {}),
    ],
)
def test_errors(code: str, members: dict[str, Any], status: int, body: dict[str, str]) -> None:
    """Given an error, then the body names it."""
    answer = render(code, "m", members, request_id="r", service=LOGS)
    assert (answer.status, json.loads(answer.body)) == (status, {"__type": code, "message": "m", **body})
