"""A trace as BatchGetTraces tells it whole, and as GetTraceSummaries sums it up."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from relambda.api.traces.fields import PLACES, annotations
from relambda.api.traces.root_causes import root_causes
from relambda.api.traces.trace import Document, Part, Service, Trace, end_of, http, http_status, start_of
from relambda.store.traces import Segment

T = TypeVar("T")


def whole_trace(trace: Trace, segments: Sequence[Segment]) -> dict[str, Any]:
    """A trace as BatchGetTraces tells it."""
    return {
        "Id": trace.id,
        "Duration": trace.duration,
        "LimitExceeded": False,
        "Segments": [{"Id": segment.id, "Document": segment.document.decode()} for segment in segments],
    }


def summary(trace: Trace, matched: float | None = None) -> dict[str, Any]:
    """A trace's summary as GetTraceSummaries tells it, times in seconds since the epoch.

    `matched` is the time of the event that the trace was found by, when that is not its beginning.
    """
    root = trace.root.document
    flags = trace.root.flags
    about = _http(root)
    return {
        "Id": trace.id,
        "StartTime": trace.start,
        "Duration": trace.duration,
        "ResponseTime": max(end_of(root) - start_of(root), 0.0),
        "HasFault": flags.fault,
        "HasError": flags.error,
        "HasThrottle": any(part.flags.throttle for part in trace.parts),
        "IsPartial": trace.is_partial,
        **({"Http": about} if about else {}),
        "Annotations": _annotations(trace),
        "Users": _users(trace),
        "ServiceIds": [service.told() for service in dict.fromkeys(hop.service for hop in trace.hops)],
        "ResourceARNs": [{"ARN": arn} for arn in _places(trace, "resource.arn")],
        "InstanceIds": [{"Id": id_} for id_ in _places(trace, "instance.id")],
        "AvailabilityZones": [{"Name": zone} for zone in _places(trace, "availabilityzone")],
        "EntryPoint": trace.entry_point.told(),
        "FaultRootCauses": [cause.told() for cause in root_causes(trace, "fault")],
        "ErrorRootCauses": [cause.told() for cause in root_causes(trace, "error")],
        "ResponseTimeRootCauses": [],
        "Revision": len(trace.documents),
        **({} if matched is None else {"MatchedEventTime": matched}),
    }


def _http(document: Document) -> dict[str, Any]:
    request = http(document, "request")
    found = {
        "HttpURL": request.get("url"),
        "HttpMethod": request.get("method"),
        "UserAgent": request.get("user_agent"),
        "ClientIp": request.get("client_ip"),
    }
    told = {name: value for name, value in found.items() if isinstance(value, str)}
    status = http_status(document)
    return told if status is None else {**told, "HttpStatus": status}


def _annotations(trace: Trace) -> dict[str, list[dict[str, Any]]]:
    """Each value of each once, with the services that gave it."""
    given = (
        ((name, type(value), value), part)
        for part in trace.parts
        for name, values in annotations(part.document).items()
        for value in values
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for (name, _, value), services in _with_services(trace, given):
        found.setdefault(name, []).append({"AnnotationValue": _annotation(value), "ServiceIds": services})
    return found


def _annotation(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"BooleanValue": value}
        case int() | float():
            return {"NumberValue": float(value)}
        case _:
            return {"StringValue": str(value)}


def _users(trace: Trace) -> list[dict[str, Any]]:
    given = ((user, part) for part in trace.parts if isinstance(user := PLACES["user"](part.document), str))
    return [{"UserName": user, "ServiceIds": services} for user, services in _with_services(trace, given)]


def _with_services(trace: Trace, given: Iterable[tuple[T, Part]]) -> list[tuple[T, list[dict[str, Any]]]]:
    """Each thing once, in its order, with the services whose parts have it."""
    found: dict[T, dict[Service | None, None]] = {}
    for thing, part in given:
        found.setdefault(thing, {})[trace.service_of(part)] = None
    return [(thing, [each.told() for each in services if each is not None]) for thing, services in found.items()]


def _places(trace: Trace, keyword: str) -> list[str]:
    return sorted({place for part in trace.parts if isinstance(place := PLACES[keyword](part.document), str)})
