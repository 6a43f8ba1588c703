"""Payloads and client contexts: what is refused, in AWS's words and before it costs much."""

import json
from base64 import b64encode

import pytest

from relambda.actors.domain.refusals import Refusal
from relambda.api.payloads import LONGEST_EXPLAINED, MOST_ASYNC, checked, checked_async, client_context

PREFIX = "Could not parse request body into json: Could not parse payload into json: "


def told(payload: bytes) -> str:
    with pytest.raises(Refusal) as caught:
        checked(payload)
    assert caught.value.code == "InvalidRequestContentException"
    assert caught.value.message.startswith(PREFIX)
    return caught.value.message.removeprefix(PREFIX)


@pytest.mark.parametrize("deep", [b"[" * 100_000, b'{"a":' * 100_000])
def test_what_nests_too_deep(deep: bytes) -> None:
    """Given a document that nests without end, then the parser's own words."""
    assert told(deep).startswith("Document nesting depth (1001) exceeds the maximum allowed (1000")


def test_long_texts_are_not_explained() -> None:
    """Given megabytes that are no JSON, then the short complaint of a fast parser is enough."""
    assert "[Source:" in told(b"[1, 2")
    assert "[Source:" not in told(b"[" + b"1," * LONGEST_EXPLAINED)


@pytest.mark.parametrize("nothing", [None, b""])
def test_no_payload_is_an_empty_object(nothing: bytes | None) -> None:
    """Given no payload, then the function gets an empty object."""
    assert checked(nothing) == b"{}"


def test_what_may_be_queued() -> None:
    """Given a megabyte, then it may be queued; a byte more is refused with both numbers."""
    largest = b'"' + b"x" * (MOST_ASYNC - 2) + b'"'
    assert checked_async(largest) == largest
    with pytest.raises(Refusal) as caught:
        checked_async(largest + b" ")
    assert caught.value.code == "RequestEntityTooLargeException"
    assert caught.value.message == (
        "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)"
    )


def test_client_contexts() -> None:
    """Given a JSON object in base64, then its text; none is none."""
    text = json.dumps({"custom": {"café": "1"}})
    assert client_context(b64encode(text.encode()).decode()) == text
    assert client_context(None) == ""


@pytest.mark.parametrize("wrong", ["string", "!", b64encode(b"[1]").decode(), b64encode(b'{"a": ').decode()])
def test_what_is_no_client_context(wrong: str) -> None:
    """Given anything else, then AWS's words."""
    with pytest.raises(Refusal, match="Client context must be a valid Base64-encoded JSON object") as caught:
        client_context(wrong)
    assert caught.value.code == "InvalidRequestContentException"


def test_a_client_context_that_is_too_long() -> None:
    """Given more than 3,583 bytes, then it is refused."""
    with pytest.raises(Refusal, match="3583"):
        client_context(b64encode(b'{"a": "' + b"x" * 3_000 + b'"}').decode())
