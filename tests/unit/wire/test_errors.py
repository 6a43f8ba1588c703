"""Errors as they go out."""

import json

import pytest

from relambda.api.wire.errors import ServiceError, render


def test_the_model_decides_how_the_message_is_spelt() -> None:
    """ResourceNotFoundException says `Message`, InvalidParameterValueException `message`; both are the user's."""
    missing = render("ResourceNotFoundException", "gone", request_id="r")
    invalid = render("InvalidParameterValueException", "bad", request_id="r")

    assert (missing.status, json.loads(missing.body)) == (404, {"Type": "User", "Message": "gone"})
    assert (invalid.status, json.loads(invalid.body)) == (400, {"Type": "User", "message": "bad"})
    assert missing.headers["x-amzn-ErrorType"] == "ResourceNotFoundException"
    assert missing.headers["x-amzn-RequestId"] == "r"


def test_a_server_fault_is_the_services() -> None:
    """ServiceException is a 500 of type Service."""
    answer = ServiceError("ServiceException", "broken").response("r")

    assert (answer.status, json.loads(answer.body)) == (500, {"Type": "Service", "Message": "broken"})


def test_a_throttle_says_when_to_come_back_and_why() -> None:
    """The reason is in the body, the wait in a header."""
    error = ServiceError(
        "TooManyRequestsException",
        "Rate Exceeded.",
        {"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded", "retryAfterSeconds": 1},
    )

    answer = error.response("r")

    assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
    assert json.loads(answer.body) == {
        "Type": "User",
        "message": "Rate Exceeded.",
        "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
    }


def test_type_may_be_left_out() -> None:
    """Some of AWS's bodies carry the message alone."""
    answer = ServiceError("InvalidParameterValueException", "limit", with_type=False).response("r")

    assert json.loads(answer.body) == {"message": "limit"}


@pytest.mark.parametrize(
    ("code", "status", "body"),
    [
        ("ValidationException", 400, {"message": "m"}),
        ("RequestEntityTooLargeException", 413, {"message": "m"}),
        ("SerializationException", 400, {"Message": "m"}),
        ("UnknownOperationException", 404, {"message": "m"}),
        ("InternalFailure", 500, {"message": "m"}),
    ],
)
def test_errors_outside_the_model(code: str, status: int, body: dict[str, str]) -> None:
    """What no shape describes carries its message alone."""
    answer = render(code, "m", request_id="r")

    assert (answer.status, json.loads(answer.body)) == (status, body)


def test_access_denied_has_no_message() -> None:
    """AWS's 403 for another account says null."""
    answer = render("AccessDeniedException", None, request_id="r")

    assert (answer.status, answer.body) == (403, b'{"Message":null}')


@pytest.mark.parametrize(("code", "members"), [("NoSuchException", {}), ("ServiceException", {"Nope": 1})])
def test_what_nobody_knows_is_our_mistake(code: str, members: dict[str, int]) -> None:
    """An unknown code or member is told by name."""
    with pytest.raises(LookupError, match=r"NoSuchException|Nope"):
        render(code, "m", members, request_id="r")
