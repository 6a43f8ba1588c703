"""Which operation of a REST service a request means, told from its method, raw path and query string.

Paths are matched as they came, percent-encoded, and each segment is decoded behind the match: an ARN arrives with
its colons and slashes encoded in one segment (FACTS.md section 1).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import unquote, unquote_plus

from relambda.api.wire.errors import ServiceError
from relambda.api.wire.model import Operation, Service

Query = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Match:
    """The operation a request means, and the decoded texts of its path by member name."""

    operation: Operation
    uri: dict[str, str]


@dataclass(slots=True)
class _Node:
    literals: dict[str, "_Node"] = field(default_factory=dict)
    variable: "_Node | None" = None
    operations: dict[str, list[tuple[Operation, tuple[tuple[int, str], ...]]]] = field(default_factory=dict)


class Router:
    """A tree over the path segments of a service's operations; built once, read from any thread."""

    def __init__(self, service: Service) -> None:
        self._root = _Node()
        for name in service.operation_names():
            self._add(service.operation(name))

    def route(self, method: str, raw_path: str, query: Query) -> Match:
        """The operation and its path's members; a trailing slash is as good as none.

        Raises UnknownOperationException (404, AWS's common errors) for a path or a method no operation has.
        """
        segments = raw_path.split("/")[1:]
        if segments and not segments[-1]:
            segments.pop()
        node = self._descend(segments)
        for operation, variables in node.operations.get(method, ()) if node else ():
            if all(value in query.get(name, ()) for name, value in operation.query):
                return Match(operation, {name: _decode(segments[index]) for index, name in variables})
        raise ServiceError("UnknownOperationException", None)

    def _descend(self, segments: Sequence[str]) -> _Node | None:
        node: _Node | None = self._root
        for segment in segments:
            assert node is not None
            node = node.literals.get(segment) or (node.variable if segment else None)
            if node is None:
                return None
        return node

    def _add(self, operation: Operation) -> None:
        node, variables = self._root, []
        for index, part in enumerate(operation.path.strip("/").split("/")):
            if part.startswith("{"):
                variables.append((index, _member_for(operation, part.strip("{}+"))))
                node.variable = node = node.variable or _Node()
            else:
                node = node.literals.setdefault(part, _Node())
        rivals = node.operations.setdefault(operation.method, [])
        rivals.append((operation, tuple(variables)))
        rivals.sort(key=lambda entry: -len(entry[0].query))


def _member_for(operation: Operation, label: str) -> str:
    members = operation.input.members.values() if operation.input else ()
    return next(member.name for member in members if member.place == "uri" and member.wire_name == label)


def _decode(text: str) -> str:
    if "%" not in text:
        return text
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ServiceError("SerializationException", "A path segment is not percent-encoded UTF-8.") from None


def parse_query(raw: str) -> dict[str, list[str]]:
    """The fields of a raw query string, decoded; a repeated key keeps all its values, in order.

    Raises SerializationException for fields that are not percent-encoded UTF-8.
    """
    fields: dict[str, list[str]] = {}
    try:
        for pair in raw.split("&") if raw else ():
            if pair:
                name, _, value = pair.partition("=")
                fields.setdefault(unquote_plus(name, errors="strict"), []).append(unquote_plus(value, errors="strict"))
    except UnicodeDecodeError:
        raise ServiceError("SerializationException", "The query string is not percent-encoded UTF-8.") from None
    return fields


@cache
def router_of(service: Service) -> Router:
    """The service's router, built once a process."""
    return Router(service)
