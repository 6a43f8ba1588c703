"""One Lambda request from its raw parts to a checked input: the order in which the front end calls this layer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from relambda.api.wire.meaning import check_meaning
from relambda.api.wire.model import Operation, load
from relambda.api.wire.parse import parse_input
from relambda.api.wire.router import Match, Query, parse_query, router_of
from relambda.api.wire.signature import Caller, caller_of
from relambda.api.wire.validate import validate


@dataclass(frozen=True, slots=True)
class Head:
    """What a request says before its body is read."""

    match: Match
    query: Query
    caller: Caller

    @property
    def operation(self) -> Operation:
        """The operation that is meant."""
        return self.match.operation


def read_head(method: str, raw_path: str, raw_query: str, authorization: str | None) -> Head:
    """Route a request by its raw (percent-encoded) path and query, so that its body may be limited by operation.

    Raises ServiceError UnknownOperationException (404) or SerializationException (400).
    """
    query = parse_query(raw_query)
    match = router_of(load("lambda")).route(method, raw_path, query)
    return Head(match, query, caller_of(authorization, query))


def read_input(head: Head, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The operation's input, parsed and checked: types, then the shape's constraints, then meaning.

    Raises ServiceError SerializationException, ValidationException or InvalidParameterValueException (all 400).
    """
    given = parse_input(head.match, head.query, headers, body)
    validate(head.operation, given)
    check_meaning(head.operation, given)
    return given
