"""The answer of a REST-JSON operation: status, headers and body from its output."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from relambda.api.wire.jsonwrite import OutputError, dumps, writer
from relambda.api.wire.model import Operation, Shape
from relambda.api.wire.response import Response
from relambda.api.wire.textvalue import writer as text_writer

RECORDED_STATUS: Mapping[str, int] = {"DeleteFunction": 204}
"""Where AWS answers another status than its model says (FACTS.md section 1)."""

EVENT_STREAM = "application/vnd.amazon.eventstream"


@dataclass(frozen=True, slots=True)
class _Plan:
    status_member: str | None
    headers: tuple[tuple[str, str, Callable[[Any], str]], ...]
    content_type: str | None
    body: Callable[[Mapping[str, Any]], bytes]
    outside: frozenset[str]
    """Members that are not in the JSON document."""


def serialize(operation: Operation, output: Mapping[str, Any] | None, *, request_id: str) -> Response:
    """The answer for `output`, a dict by the model's member names; a member that is None is left out.

    A blob payload goes out as it is. An event stream's body is empty here: whoever streams it sends it. A status of
    204 has no body. Raises OutputError when the output does not fit the model.
    """
    status = RECORDED_STATUS.get(operation.name, operation.status)
    headers = {"x-amzn-RequestId": request_id}
    if operation.output is None:
        return _without_output(operation, output, status, headers)
    plan, given = _plan(operation.output), output or {}
    if plan.status_member is not None:
        status = given.get(plan.status_member) or status
    if plan.content_type is not None and status != 204:
        headers["Content-Type"] = plan.content_type
    for name, wire, write in plan.headers:
        if (value := given.get(name)) is not None:
            headers[wire] = write(value)
    body = plan.body({name: value for name, value in given.items() if name not in plan.outside})
    return Response(status, headers, b"" if status == 204 else body)


def _without_output(
    operation: Operation, output: Mapping[str, Any] | None, status: int, headers: dict[str, str]
) -> Response:
    if output:
        raise OutputError(f"{operation.name} has no output, yet was given {', '.join(output)}")
    return Response(status, headers)


@cache
def _plan(shape: Shape) -> _Plan:
    members = shape.members.values()
    content_type, body = _body_writer(shape)
    return _Plan(
        status_member=next((member.name for member in members if member.place == "statusCode"), None),
        headers=tuple((m.name, m.wire_name, text_writer(m)) for m in members if m.place == "header"),
        content_type=content_type,
        body=body,
        outside=frozenset(member.name for member in members if member.place),
    )


def _body_writer(shape: Shape) -> tuple[str | None, Callable[[Mapping[str, Any]], bytes]]:
    if shape.payload is None:
        document = writer(shape)
        return "application/json", lambda given: dumps(document(given))
    payload = shape.members[shape.payload].shape
    if payload.event_stream:
        return EVENT_STREAM, lambda _: b""
    if payload.kind == "blob":
        return "application/json", _raw_writer(shape, shape.payload)
    return "application/json", _payload_writer(shape.payload, payload)


def _raw_writer(shape: Shape, name: str) -> Callable[[Mapping[str, Any]], bytes]:
    def write(given: Mapping[str, Any]) -> bytes:
        if given.keys() - {name}:
            raise OutputError(f"shape {shape.name} has no members {sorted(given.keys() - {name})}")
        payload = given.get(name)
        if payload is None:
            return b""
        if isinstance(payload, bytes):
            return payload
        raise OutputError(f"{shape.name}.{name} must be bytes, not {type(payload).__name__}")

    return write


def _payload_writer(name: str, shape: Shape) -> Callable[[Mapping[str, Any]], bytes]:
    document = writer(shape)
    return lambda given: dumps(document(given[name])) if given.get(name) is not None else b""
