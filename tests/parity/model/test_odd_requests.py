"""Requests that no SDK sends."""

from dataclasses import replace
from typing import Any

import pytest

from relambda.api.wire.model import load

LAMBDA = load("lambda")
BODIES = (
    *(
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"1",
        b"{}{}",
        b"\xff\xfe",
        b'{"x": NaN}',
        b'{"x": 1e999}',
        b'{"x": "\\ud800"}',
        b"\x00",
    ),
    *(b"[" * 100_000, b'{"x":' * 50_000, b'{"FunctionName": ' + b"1" * 10_000 + b"}"),
)
"""Bodies that are no document, or hardly one."""
QUERIES = (
    "Qualifier=%ff",
    "MaxItems=",
    "MaxItems=1e3",
    "Marker=%00",
    "Marker=e30%3D",
    "=&&=",
    "x" * 8000,
    "Qualifier=%",
)


@pytest.mark.parametrize("name", LAMBDA.operation_names())
def test_no_request_is_too_odd(probed: Any, name: str) -> None:
    """Bodies that are no JSON and queries that are no fields end in an answer of AWS's, and without an event."""
    shape = LAMBDA.operation(name).input
    members = {} if shape is None else shape.members
    plain = probed.request(name, {member: "probe" for member in members if members[member].place == "uri"})
    bodies = [replace(plain, body=body) for body in BODIES]
    queries = [replace(plain, query=f"{plain.query}&{query}") for query in QUERIES]

    for raw in [*bodies, *queries]:
        answer = probed.send_raw(raw)
        assert answer.status < 500, (raw, answer)
        assert answer.code is None or not answer.events, (raw, answer)
