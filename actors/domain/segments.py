"""The segments that Lambda itself records of an invocation whose trace is sampled.

X-Ray Developer Guide, "AWS Lambda and AWS X-Ray": a segment of the service (`AWS::Lambda`) and below it one of the
function (`AWS::Lambda::Function`) with the subsegments Initialization, Invocation and Overhead. What the function
records itself goes below Invocation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from relambda.actors.domain.names import ResourceName

SERVICE, FUNCTION = "AWS::Lambda", "AWS::Lambda::Function"


@dataclass(frozen=True, slots=True)
class SegmentIds:
    """Fresh ids, 16 hexadecimal digits each."""

    service: str
    function: str
    initialization: str
    invocation: str
    overhead: str


@dataclass(frozen=True, slots=True)
class Run:
    """What is known of an invocation when it is over; times in milliseconds since the epoch."""

    function: ResourceName
    version: str
    request_id: str
    trace: str
    """The trace's id, X-Ray's Root."""
    parent: str
    """The caller's segment, "" when the trace begins here."""
    accepted_ms: float
    began_ms: float
    """When the environment got it."""
    answered_ms: float
    ended_ms: float
    init_ms: float = 0.0
    """How long the environment's init took, when this is its first invocation."""
    failed: bool = False
    cause: Mapping[str, Any] | None = None
    """What the runtime says of why it failed, as a segment's `cause`."""


def segments_of(run: Run, ids: SegmentIds) -> tuple[dict[str, Any], dict[str, Any]]:
    """The documents of the service's and of the function's segment (X-Ray segment documents)."""
    fault = {"fault": True} if run.failed else {}
    common = {"trace_id": run.trace, "name": run.function.name}
    service = {
        **common,
        **({"parent_id": run.parent} if run.parent else {}),
        **_span(ids.service, run.accepted_ms, run.ended_ms),
        **fault,
        "origin": SERVICE,
        "http": {"response": {"status": 200}},
        "aws": {"request_id": run.request_id},
        "resource_arn": run.function.arn(),
    }
    function = {
        **common,
        "parent_id": ids.service,
        **_span(ids.function, run.began_ms - run.init_ms, run.ended_ms),
        **fault,
        **_cause(run),
        "origin": FUNCTION,
        "aws": {"account_id": run.function.account, "function_arn": run.function.arn(), "cold_start": run.init_ms > 0},
        "resource_arn": run.function.arn(),
        "subsegments": _subsegments(run, ids, fault),
    }
    return service, function


def _subsegments(run: Run, ids: SegmentIds, fault: Mapping[str, Any]) -> list[dict[str, Any]]:
    arn = {"aws": {"function_arn": run.function.arn()}}
    invocation = {**_span(ids.invocation, run.began_ms, run.answered_ms), **fault, **_cause(run), **arn}
    found = [{"name": "Invocation", **invocation}]
    if run.init_ms:
        init = _span(ids.initialization, run.began_ms - run.init_ms, run.began_ms)
        found.insert(0, {"name": "Initialization", **init, **arn})
    return [*found, {"name": "Overhead", **_span(ids.overhead, run.answered_ms, run.ended_ms), **arn}]


def _cause(run: Run) -> dict[str, Any]:
    return {"cause": run.cause} if run.failed and run.cause else {}


def _span(id_: str, start_ms: float, end_ms: float) -> dict[str, Any]:
    return {"id": id_, "start_time": start_ms / 1000, "end_time": end_ms / 1000}
