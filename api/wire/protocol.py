"""The protocols that AWS's services speak here: how a request names its operation, and where input and output stand."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from relambda.api.wire import awsjson
from relambda.api.wire.model import Operation, Service
from relambda.api.wire.parse import parse_input
from relambda.api.wire.response import Response
from relambda.api.wire.router import Match, Query, router_of
from relambda.api.wire.serialize import serialize


class Route(Protocol):
    """Finds the operation. Raises ServiceError UnknownOperationException (404)."""

    def __call__(
        self, service: Service, method: str, raw_path: str, query: Mapping[str, Sequence[str]], target: str, /
    ) -> Match:
        """The operation and its path's members."""
        ...


class Parse(Protocol):
    """Reads the input. Raises ServiceError SerializationException (400)."""

    def __call__(self, match: Match, query: Query, headers: Mapping[str, str], body: bytes, /) -> dict[str, Any]:
        """The input by member names."""
        ...


class Serialize(Protocol):
    """Writes the output. Raises OutputError when it does not fit the model."""

    def __call__(self, operation: Operation, output: Mapping[str, Any] | None, /, *, request_id: str) -> Response:
        """The answer."""
        ...


class WireProtocol(NamedTuple):
    """One protocol."""

    route: Route
    parse: Parse
    serialize: Serialize


def _route_rest(service: Service, method: str, raw_path: str, query: Query, _target: str) -> Match:
    return router_of(service).route(method, raw_path, query)


PROTOCOLS: Mapping[str, WireProtocol] = {
    "rest-json": WireProtocol(_route_rest, parse_input, serialize),
    "json": WireProtocol(awsjson.route, awsjson.parse, awsjson.serialize),
}
"""By the name that the model's metadata gives."""


def protocol_of(service: Service) -> WireProtocol:
    """The protocol that a service speaks."""
    return PROTOCOLS[service.protocol]
