"""What the keywords of filter expressions mean: the values that they have in a trace, in a hop, in a root cause."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from relambda.api.traces.filter_nodes import Keyword
from relambda.api.traces.trace import Document, Hop, Part, Trace, end_of, http, http_status, start_of

Fields: TypeAlias = Callable[[Keyword], Sequence[Any]]
_REQUEST: Final[Mapping[str, str]] = {
    "http.url": "url",
    "http.method": "method",
    "http.useragent": "user_agent",
    "http.clientip": "client_ip",
}


def trace_fields(trace: Trace) -> Fields:
    """Those of a whole trace: what its root segment tells, and what is on any of its segments."""
    services = [hop.service for hop in trace.hops]
    own: Mapping[str, Sequence[Any]] = {
        **_alone(trace.root),
        "partial": [trace.is_partial],
        "inferred": [bool(trace.calls)],
        "root": [True],
        "duration": [trace.duration],
        "name": [each.name for each in services],
        "type": [each.type for each in services if each.type],
    }
    everything = [each.document for each in trace.parts]
    return lambda keyword: _told(keyword, own, everything)


def hop_fields(trace: Trace, hop: Hop) -> Fields:
    """Those of what one service served."""
    everything = [part.document for part in trace.parts_of(hop)]
    own: Mapping[str, Sequence[Any]] = {
        **_alone(hop.part),
        "partial": [any(each.get("in_progress") for each in everything)],
        "inferred": [hop.is_inferred],
        "root": [hop.is_root],
        "duration": [_took(hop.document)],
        "name": [hop.service.name],
        "type": [hop.service.type] if hop.service.type else [],
    }
    return lambda keyword: _told(keyword, own, everything)


def cause_fields(told: Mapping[str, Any], index: int, count: int) -> Fields:
    """Those of one service, entity or exception of a root cause, as the summary tells it, at its place in a list."""
    found: Mapping[str, Any] = {
        "first": index == 0,
        "last": index == count - 1,
        "index": index,
        "remote": told.get("Remote", False),
        "inferred": told.get("Inferred", False),
        "name": told.get("Name"),
        "type": told.get("Type"),
        "message": told.get("Message"),
    }
    return lambda keyword: [] if found[keyword.name] is None else [found[keyword.name]]


def _alone(part: Part) -> Mapping[str, Sequence[Any]]:
    """What one part tells by itself."""
    request, status = http(part.document, "request"), http_status(part.document)
    return {
        **{name: [getattr(part.flags, name)] for name in ("ok", "error", "throttle", "fault")},
        **{name: _texts([request.get(member)]) for name, member in _REQUEST.items()},
        "http.status": [] if status is None else [status],
        "responsetime": [_took(part.document)],
    }


def _told(keyword: Keyword, own: Mapping[str, Sequence[Any]], everything: Sequence[Document]) -> Sequence[Any]:
    """What is known already; users, annotations and places are looked for on all documents."""
    if keyword.name == "annotation":
        return [value for each in everything for value in annotations(each).get(keyword.key, ())]
    if keyword.name in PLACES:
        return _texts(PLACES[keyword.name](each) for each in everything)
    return own[keyword.name]


def annotations(document: Document) -> Mapping[str, Sequence[Any]]:
    """The annotations of one part, those that X-Ray indexes: texts, numbers, and what is true or false."""
    told = document.get("annotations")
    members = told.items() if isinstance(told, dict) else ()
    return {name: [value] for name, value in members if isinstance(value, str | int | float | bool)}


def _ec2(document: Document, member: str) -> Any:
    aws = document.get("aws")
    ec2 = aws.get("ec2") if isinstance(aws, dict) else None
    return ec2.get(member) if isinstance(ec2, dict) else None


PLACES: Final[Mapping[str, Callable[[Document], Any]]] = {
    "user": lambda document: document.get("user"),
    "resource.arn": lambda document: document.get("resource_arn"),
    "instance.id": lambda document: _ec2(document, "instance_id"),
    "availabilityzone": lambda document: _ec2(document, "availability_zone"),
}
"""Where segment documents have what is looked for on all of them (X-Ray segment documents)."""


def _took(document: Document) -> float:
    return max(end_of(document) - start_of(document), 0.0)


def _texts(values: Iterable[Any]) -> list[str]:
    return [value for value in values if isinstance(value, str)]
