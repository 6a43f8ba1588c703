"""Service models as botocore ships them, reduced to what a server needs; read once, resolved shape by shape."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from botocore.loaders import create_loader


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a structure, or the item, key or value of a list or map; its shape is resolved when asked for."""

    name: str
    target: str
    place: str
    """Where a request or answer carries it: `uri`, `querystring`, `header`, `statusCode`, or `` for the body."""
    wire_name: str
    timestamp_format: str | None
    service: "Service" = field(repr=False, compare=False)

    @property
    def shape(self) -> "Shape":
        """The shape this member has."""
        return self.service.shape(self.target)


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One shape of the model with its constraints; a service has each but once, so it is compared by identity."""

    name: str
    kind: str
    """`structure`, `list`, `map`, `string`, `blob`, `integer`, `long`, `double`, `float`, `boolean`, `timestamp`."""
    members: Mapping[str, Member]
    required: frozenset[str]
    item: Member | None
    key: Member | None
    value: Member | None
    minimum: float | None
    maximum: float | None
    pattern: str | None
    enum: tuple[str, ...]
    sensitive: bool
    payload: str | None
    event_stream: bool
    timestamp_format: str | None
    error_status: int | None
    server_fault: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its HTTP binding, its input and output shapes and the errors it may answer."""

    name: str
    method: str
    path: str
    """The path template, without a query string, such as `/2015-03-31/functions/{FunctionName}`."""
    query: tuple[tuple[str, str], ...]
    """Query fields that must be there for this operation to be meant (`find=LayerVersion`)."""
    status: int
    input: Shape | None
    output: Shape | None
    errors: tuple[str, ...]


class Service:
    """A service's operations and shapes; each is built when first asked for. May be used from any thread."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.metadata: Mapping[str, Any] = raw["metadata"]
        self.name: str = raw["metadata"]["endpointPrefix"]
        self.protocol: str = raw["metadata"]["protocol"]
        self._raw_operations: Mapping[str, Any] = raw["operations"]
        self._raw_shapes: Mapping[str, Any] = raw["shapes"]
        self._shapes: dict[str, Shape] = {}
        self._operations: dict[str, Operation] = {}

    def operation_names(self) -> tuple[str, ...]:
        """All operations' names, in the model's order."""
        return tuple(self._raw_operations)

    def operation(self, name: str) -> Operation:
        """The operation of that name. Raises KeyError for one that the model does not know."""
        found = self._operations.get(name)
        if found is None:
            found = self._operations.setdefault(name, self._build_operation(name))
        return found

    def shape(self, name: str) -> Shape:
        """The shape of that name. Raises KeyError for one that the model does not know."""
        found = self._shapes.get(name)
        if found is None:
            found = self._shapes.setdefault(name, self._build_shape(name))
        return found

    def error_shape(self, code: str) -> Shape | None:
        """The exception's shape when the model has one by that code."""
        raw = self._raw_shapes.get(code)
        return self.shape(code) if raw is not None and raw.get("exception") else None

    def error_codes(self) -> tuple[str, ...]:
        """The codes of all modelled exceptions."""
        return tuple(name for name, raw in self._raw_shapes.items() if raw.get("exception"))

    def _build_operation(self, name: str) -> Operation:
        raw = self._raw_operations[name]
        path, _, query = raw["http"]["requestUri"].partition("?")
        return Operation(
            name=name,
            method=raw["http"]["method"],
            path=path,
            query=tuple((pair.partition("=")[0], pair.partition("=")[2]) for pair in query.split("&") if pair),
            status=raw["http"].get("responseCode", 200),
            input=self._shape_of(raw.get("input")),
            output=self._shape_of(raw.get("output")),
            errors=tuple(error["shape"] for error in raw.get("errors", ())),
        )

    def _shape_of(self, reference: Mapping[str, Any] | None) -> Shape | None:
        return None if reference is None else self.shape(reference["shape"])

    def _build_shape(self, name: str) -> Shape:
        raw = self._raw_shapes[name]
        error = raw.get("error", {})
        return Shape(
            name=name,
            kind="string" if raw["type"] == "character" else raw["type"],
            members={key: self._member(key, value) for key, value in raw.get("members", {}).items()},
            required=frozenset(raw.get("required", ())),
            item=self._optional_member("member", raw.get("member")),
            key=self._optional_member("key", raw.get("key")),
            value=self._optional_member("value", raw.get("value")),
            minimum=raw.get("min"),
            maximum=raw.get("max"),
            pattern=raw.get("pattern"),
            enum=tuple(raw.get("enum", ())),
            sensitive=raw.get("sensitive", False),
            payload=raw.get("payload"),
            event_stream=raw.get("eventstream", False),
            timestamp_format=raw.get("timestampFormat"),
            error_status=error.get("httpStatusCode"),
            server_fault=raw.get("fault", False),
        )

    def _optional_member(self, name: str, raw: Mapping[str, Any] | None) -> Member | None:
        return None if raw is None else self._member(name, raw)

    def _member(self, name: str, raw: Mapping[str, Any]) -> Member:
        return Member(
            name=name,
            target=raw["shape"],
            place=raw.get("location", ""),
            wire_name=raw.get("locationName", name),
            timestamp_format=raw.get("timestampFormat"),
            service=self,
        )


@cache
def load(service: str) -> Service:
    """The newest model of `service` that the installed botocore has, read once a process (some 50 ms).

    Raises botocore's UnknownServiceError for a name it does not know.
    """
    raw = create_loader().load_service_model(service, "service-2")
    for shape in raw["shapes"].values():
        shape.pop("documentation", None)
        for member in shape.get("members", {}).values():
            member.pop("documentation", None)
    return Service(raw)
