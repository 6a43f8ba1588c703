"""Documents that SDKs send are checked before they are kept."""

import json
from typing import Any

import pytest

from relambda.actors.traces.document import BadSegmentError, read_cause, read_segment, trace_id

TRACE = "1-581cf771-a006649127e371903a2de979"
GOOD: dict[str, Any] = {
    "name": "example.com",
    "id": "70de5b6f19ff9a0a",
    "start_time": 1.478293361271e9,
    "trace_id": TRACE,
    "end_time": 1.478293361449e9,
}


def sent(**members: Any) -> bytes:
    """The good document with other members; None leaves one out."""
    return json.dumps({name: value for name, value in {**GOOD, **members}.items() if value is not None}).encode()


def test_a_minimal_segment() -> None:
    """Given the least that a segment must have, then it is taken, under its ids."""
    read = read_segment(sent(), "me")
    assert (read.trace, read.id, read.owner) == (TRACE, GOOD["id"], "me")
    assert json.loads(read.document) == GOOD


def test_an_id_of_w3c() -> None:
    """Given a trace id as W3C writes it, then it is the same trace."""
    assert trace_id("581cf771a006649127e371903a2de979") == TRACE
    assert read_segment(sent(trace_id="581cf771a006649127e371903a2de979"), "").trace == TRACE


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"{", "ParseError"),
        (b"[]", "ParseError"),
        (b"[" * 100_000, "SegmentTooLarge"),
        (b"[" * 60_000, "ParseError"),
        (sent(id="1"), "MissingId"),
        (sent(trace_id="1-2-3"), "InvalidTraceId"),
        (sent(name=None), "MissingName"),
        (sent(start_time="now"), "MissingStartTime"),
        (sent(start_time=True), "MissingStartTime"),
        (sent(end_time=None), "MissingEndTime"),
        (sent(end_time=True, in_progress=True), "MissingEndTime"),
        (sent(metadata={"x": "y" * 70_000}), "SegmentTooLarge"),
    ],
)
def test_what_is_no_segment(document: bytes, code: str) -> None:
    """Given a document that X-Ray would not take, then it is refused, with a word for why."""
    with pytest.raises(BadSegmentError) as refused:
        read_segment(document, "")
    assert refused.value.code == code


def test_in_progress() -> None:
    """Given a segment that has not ended, when it says that it is in progress, then it is taken."""
    assert read_segment(sent(end_time=None, in_progress=True), "").trace == TRACE


def test_the_cause_of_an_error() -> None:
    """Given what a runtime's header says of an error, then it is a segment's cause, whose exceptions have ids."""
    told = {
        "working_directory": "/var/task",
        "exceptions": [{"type": "E", "message": "m", "stack": []}],
        "paths": ["a"],
    }
    cause = read_cause(json.dumps(told))

    assert cause is not None
    assert len(cause["exceptions"][0].pop("id")) == 16
    assert cause == told


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"exceptions": [7]}', '{"exceptions": [], "x": "' + "y" * 20_000]
)
def test_what_is_no_cause(text: str) -> None:
    """Given a header that says nothing that a segment could, then there is no cause."""
    assert read_cause(text) is None
