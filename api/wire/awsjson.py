"""AWS JSON 1.1: each operation is a POST to `/` that names itself in X-Amz-Target, its input and output a document."""

from collections.abc import Mapping, Sequence
from typing import Any

from relambda.api.wire.errors import ServiceError
from relambda.api.wire.jsonread import loads, reader
from relambda.api.wire.jsonwrite import OutputError, dumps, writer
from relambda.api.wire.model import Operation, Service
from relambda.api.wire.response import AWS_JSON, Response
from relambda.api.wire.router import Match


def route(service: Service, method: str, raw_path: str, _query: Mapping[str, Sequence[str]], target: str) -> Match:
    """The operation that the target names. Raises UnknownOperationException (404)."""
    prefix, _, name = target.partition(".")
    known = prefix == service.metadata["targetPrefix"] and name in service.operation_names()
    if not known or method != "POST" or raw_path != "/":
        raise ServiceError("UnknownOperationException", None)
    return Match(service.operation(name), {})


def parse(match: Match, _query: object, _headers: object, body: bytes) -> dict[str, Any]:
    """The operation's input; an empty body is an empty document. Raises SerializationException (400)."""
    shape = match.operation.input
    if shape is None:
        return {}
    found: dict[str, Any] = reader(shape)(loads(body) if body else {})
    return found


def serialize(operation: Operation, output: Mapping[str, Any] | None, *, request_id: str) -> Response:
    """The answer for `output`; an operation without output answers an empty body. Raises OutputError."""
    headers = {"x-amzn-RequestId": request_id, "Content-Type": AWS_JSON}
    if operation.output is None:
        if output:
            raise OutputError(f"{operation.name} has no output, yet was given {', '.join(output)}")
        return Response(200, headers)
    return Response(200, headers, dumps(writer(operation.output)(output or {})))
