"""Segments passed on to an OpenTelemetry collector, by OTLP over HTTP.

Imported only where a collector is configured: the protocol's messages cost memory and time at start.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from relambda.store.traces import Segment

_log = logging.getLogger(__name__)
_SECONDS: Final = 3.0


class OtlpForward:
    """Posts segments as spans to `ENDPOINT/v1/traces` (OTLP specification, "OTLP/HTTP", binary protobuf)."""

    def __init__(self, endpoint: str) -> None:
        self._url = endpoint.rstrip("/") + "/v1/traces"
        self._session = requests.Session()
        self._session.trust_env = False

    def send(self, segments: Sequence[Segment]) -> None:
        """Raises requests' errors, which are OSError, when the collector does not take them within a few seconds."""
        spans = list(_all_spans(segments))
        if not spans:
            return
        body = ExportTraceServiceRequest(resource_spans=spans)
        headers = {"Content-Type": "application/x-protobuf"}
        self._session.post(
            self._url, data=body.SerializeToString(), headers=headers, timeout=_SECONDS
        ).raise_for_status()

    def close(self) -> None:
        """Close connections."""
        self._session.close()


def _all_spans(segments: Sequence[Segment]) -> Iterator[ResourceSpans]:
    """Those of all segments that are over: a span cannot change. One that is odd must not keep others back."""
    for segment in segments:
        document = msgspec.json.decode(segment.document, type=dict[str, Any])
        if document.get("in_progress"):
            continue
        try:
            yield _resource_spans(segment, document)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            _log.info("the segment %s of %s cannot be told as spans: %r", segment.id, segment.trace, error)


def _resource_spans(segment: Segment, document: Mapping[str, Any]) -> ResourceSpans:
    resource = Resource(attributes=[_attribute("service.name", document["name"])])
    trace = bytes.fromhex(segment.trace.removeprefix("1-").replace("-", ""))
    spans = list(_spans(document, trace, document.get("parent_id", "")))
    return ResourceSpans(resource=resource, scope_spans=[ScopeSpans(spans=spans)])


def _spans(document: Mapping[str, Any], trace: bytes, parent: str) -> Iterator[Span]:
    """A segment's span and those of its subsegments, the outer one first."""
    failed = bool(document.get("fault") or document.get("error") or document.get("throttle"))
    start = float(document["start_time"])
    yield Span(
        trace_id=trace,
        span_id=bytes.fromhex(document["id"]),
        parent_span_id=bytes.fromhex(parent),
        name=document["name"],
        kind=_kind(document),
        start_time_unix_nano=int(start * 1e9),
        end_time_unix_nano=int(float(document.get("end_time", start)) * 1e9),
        attributes=[_attribute(name, value) for name, value in document.get("annotations", {}).items()],
        status=Status(code=Status.STATUS_CODE_ERROR if failed else Status.STATUS_CODE_UNSET),
    )
    for inner in document.get("subsegments", ()):
        yield from _spans(inner, trace, document["id"])


def _kind(document: Mapping[str, Any]) -> Span.SpanKind.ValueType:
    if document.get("origin"):
        return Span.SPAN_KIND_SERVER
    return Span.SPAN_KIND_CLIENT if document.get("namespace") else Span.SPAN_KIND_INTERNAL


def _attribute(name: str, value: Any) -> KeyValue:
    match value:
        case bool():
            return KeyValue(key=name, value=AnyValue(bool_value=value))
        case int() | float():
            return KeyValue(key=name, value=AnyValue(double_value=value))
        case _:
            return KeyValue(key=name, value=AnyValue(string_value=str(value)))
