"""Traces as X-Ray's API tells them: documents of segments put together, and what a summary says of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from relambda.store.traces import Segment

Document = Mapping[str, Any]


def whole_trace(trace: str, segments: Sequence[Segment]) -> dict[str, Any]:
    """A trace as BatchGetTraces tells it."""
    return {
        "Id": trace,
        "Duration": _duration([read(segment) for segment in segments]),
        "LimitExceeded": False,
        "Segments": [{"Id": segment.id, "Document": segment.document.decode()} for segment in segments],
    }


def read(segment: Segment) -> Document:
    """A kept segment's document."""
    document: Document = msgspec.json.decode(segment.document)
    return document


def summary(trace: str, documents: Sequence[Document]) -> dict[str, Any]:
    """A trace's summary as GetTraceSummaries tells it, times in seconds since the epoch."""
    everything = [part for document in documents for part in parts(document)]
    root = min(documents, key=lambda each: float(each["start_time"]))
    http = _http(root)
    return {
        "Id": trace,
        "StartTime": float(root["start_time"]),
        "Duration": _duration(documents),
        "ResponseTime": max(_end(root) - float(root["start_time"]), 0.0),
        "HasFault": any(part.get("fault") for part in everything),
        "HasError": any(part.get("error") for part in everything),
        "HasThrottle": any(part.get("throttle") for part in everything),
        "IsPartial": any(part.get("in_progress") for part in everything),
        **({"Http": http} if http else {}),
        "Annotations": _annotations(everything),
        "Users": [],
        "ServiceIds": list(_services(documents)),
        "ResourceARNs": [{"ARN": arn} for arn in sorted({str(each["resource_arn"]) for each in _with_arn(documents)})],
        "EntryPoint": _service(root),
        "Revision": len(documents),
    }


def parts(document: Document) -> Iterator[Document]:
    """A segment and all its subsegments."""
    yield document
    for inner in document.get("subsegments") or ():
        yield from parts(inner)


def _duration(documents: Iterable[Document]) -> float:
    spans = [(float(each["start_time"]), _end(each)) for each in documents]
    return max(end for _, end in spans) - min(start for start, _ in spans) if spans else 0.0


def _end(document: Document) -> float:
    return float(document.get("end_time", document["start_time"]))


def _http(document: Document) -> dict[str, Any]:
    http = document.get("http") or {}
    request, response = http.get("request") or {}, http.get("response") or {}
    found = {
        "HttpURL": request.get("url"),
        "HttpMethod": request.get("method"),
        "UserAgent": request.get("user_agent"),
        "ClientIp": request.get("client_ip"),
        "HttpStatus": response.get("status"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _annotations(everything: Iterable[Document]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for part in everything:
        for name, value in (part.get("annotations") or {}).items():
            told = {"AnnotationValue": _annotation(value), "ServiceIds": []}
            if told not in found.setdefault(name, []):
                found[name].append(told)
    return found


def _annotation(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"BooleanValue": value}
        case int() | float():
            return {"NumberValue": float(value)}
        case _:
            return {"StringValue": str(value)}


def _with_arn(documents: Iterable[Document]) -> Iterator[Document]:
    return (each for each in documents if each.get("resource_arn"))


def _services(documents: Iterable[Document]) -> Iterator[dict[str, Any]]:
    """The services that have segments of their own; a subsegment that came by itself is none."""
    told = []
    for document in documents:
        service = _service(document)
        if document.get("type") != "subsegment" and service not in told:
            told.append(service)
            yield service


def _service(document: Document) -> dict[str, Any]:
    kind = {"Type": document["origin"]} if document.get("origin") else {}
    return {"Name": document["name"], "Names": [document["name"]], **kind}
