"""One request from its raw parts to a checked input: the order in which the front end calls this layer."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from relambda.api.wire.dialect import dialect_of
from relambda.api.wire.meaning import check_meaning
from relambda.api.wire.model import Operation, Service, load
from relambda.api.wire.protocol import protocol_of
from relambda.api.wire.response import Response
from relambda.api.wire.router import Match, Query, parse_query
from relambda.api.wire.signature import Caller, caller_of
from relambda.api.wire.validate import validate

SERVED = ("lambda", "logs", "xray")
"""The services that are answered here, by the names of their models, which are what requests are signed for."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a request says before its body is read."""

    service: Service
    match: Match
    query: Query
    caller: Caller

    @property
    def operation(self) -> Operation:
        """The operation that is meant."""
        return self.match.operation


@cache
def served_targets() -> Mapping[str, str]:
    """The served services that speak AWS JSON, by how their targets begin."""
    prefixes = ((load(name).metadata.get("targetPrefix"), name) for name in SERVED)
    return {prefix: name for prefix, name in prefixes if prefix}


def read_head(
    service: Service, method: str, raw_path: str, raw_query: str, authorization: str | None, target: str | None = None
) -> Head:
    """Route a request by its raw (percent-encoded) path and query, or by its target, before its body is read.

    Raises ServiceError UnknownOperationException (404) or SerializationException (400).
    """
    query = parse_query(raw_query)
    match = protocol_of(service).route(service, method, raw_path, query, target or "")
    return Head(service, match, query, caller_of(authorization, query))


def read_input(head: Head, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The operation's input, parsed and checked: types, then the shape's constraints, then meaning.

    Raises ServiceError SerializationException, or what the service says of an invalid input (all 400).
    """
    given = protocol_of(head.service).parse(head.match, head.query, headers, body)
    validate(head.operation, given, dialect_of(head.service.name).invalid)
    if head.service.name == "lambda":
        check_meaning(head.operation, given)
    return given


def write_output(head: Head, output: Mapping[str, Any] | None, request_id: str) -> Response:
    """The answer. Raises OutputError when the output does not fit the model."""
    return protocol_of(head.service).serialize(head.operation, output, request_id=request_id)
