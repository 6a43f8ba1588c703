"""The input of a REST-JSON operation, gathered from path, query string, headers and body.

What comes out is a plain dict by the model's member names: `bytes` for blobs, epoch seconds for timestamps, nothing
for what the caller left out. What does not fit its type is AWS's SerializationException; what fits its type but not
its constraints is for `validate`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from relambda.api.wire.jsonread import body_members, loads, reader
from relambda.api.wire.model import Member, Operation, Shape
from relambda.api.wire.router import Match, Query
from relambda.api.wire.textvalue import reader as text_reader

_Texts = tuple[tuple[str, str, Callable[[Sequence[str]], Any]], ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    uri: Mapping[str, Callable[[str], Any]]
    query: _Texts
    headers: _Texts
    body: Callable[[bytes], dict[str, Any]]


def parse_input(match: Match, query: Query, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The operation's input; header names in any case. Raises SerializationException (400)."""
    shape = match.operation.input
    if shape is None:
        return {}
    plan = _plan(shape)
    found = {name: plan.uri[name](text) for name, text in match.uri.items()}
    for name, wire, read in plan.query:
        if wire in query:
            found[name] = read(query[wire])
    if plan.headers:
        given = {name.lower(): value for name, value in headers.items()}
        found.update((name, read((given[wire],))) for name, wire, read in plan.headers if wire in given)
    if body:
        found.update(plan.body(body))
    return found


def takes_raw_payload(operation: Operation) -> bool:
    """Whether the request's body is the payload itself, such as the event of an Invoke, and not a JSON document."""
    shape = operation.input
    return shape is not None and shape.payload is not None and shape.members[shape.payload].shape.kind == "blob"


@cache
def _plan(shape: Shape) -> _Plan:
    return _Plan(
        uri={member.name: text_reader(member.shape) for member in _placed(shape, "uri")},
        query=tuple((member.name, member.wire_name, _texts_reader(member)) for member in _placed(shape, "querystring")),
        headers=tuple(
            (member.name, member.wire_name.lower(), _texts_reader(member)) for member in _placed(shape, "header")
        ),
        body=_body_reader(shape),
    )


def _placed(shape: Shape, place: str) -> list[Member]:
    return [member for member in shape.members.values() if member.place == place]


def _texts_reader(member: Member) -> Callable[[Sequence[str]], Any]:
    if member.shape.kind == "list":
        assert member.shape.item is not None
        each = text_reader(member.shape.item.shape)
        return lambda texts: [each(text) for text in texts]
    read = text_reader(member.shape)
    return lambda texts: read(texts[0])


def _body_reader(shape: Shape) -> Callable[[bytes], dict[str, Any]]:
    if shape.payload is not None:
        return _payload_reader(shape.payload, shape.members[shape.payload].shape)
    if not body_members(shape):
        return lambda _: {}
    document = reader(shape)
    return lambda body: document(loads(body))


def _payload_reader(name: str, shape: Shape) -> Callable[[bytes], dict[str, Any]]:
    if shape.kind == "blob":
        return lambda body: {name: body}
    document = reader(shape)
    return lambda body: {name: document(loads(body))}
