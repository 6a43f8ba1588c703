"""X-Ray's own operations on the traces that are kept: put segments, get traces, find them, draw them, ask for rules."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from relambda.actors.domain.refusals import Refusal
from relambda.actors.traces import sampling as trace_sampling
from relambda.actors.traces.document import BadSegmentError, read_segment, trace_id
from relambda.api.call import Call, Output, operation
from relambda.api.traces.filter import fits
from relambda.api.traces.filter_nodes import Node
from relambda.api.traces.graph import service_graph
from relambda.api.traces.sampling import is_sampled, share_of
from relambda.api.traces.summary import summary, whole_trace
from relambda.api.traces.time_range import TimeRange, read_token, token_of
from relambda.api.traces.trace import Trace, read_trace
from relambda.store.traces import Kept

MOST_TRACES: Final = 5
"""Traces of one BatchGetTraces (X-Ray API reference: 5 at a time)."""
PAGE: Final = 100
"""Traces that one page of GetTraceSummaries looks at."""
MOST_GRAPH_HOURS: Final = 6
MOST_GRAPH_IDS: Final = 100
"""Traces of one GetTraceGraph: a bound of our own."""
MOST_GRAPH_TRACES: Final = 2000
"""Traces that a service graph is drawn of, the newest ones: a bound of our own."""


@operation("PutTraceSegments", "xray")
def put_trace_segments(call: Call) -> Output:
    """Each document is kept, or told among the unprocessed."""
    unprocessed = []
    for text in call.given["TraceSegmentDocuments"]:
        try:
            call.cloud.traces.put(read_segment(text.encode(), call.scope.prefix))
        except BadSegmentError as error:
            unprocessed.append({"Id": error.id, "ErrorCode": error.code, "Message": str(error)})
    return {"UnprocessedTraceSegments": unprocessed}


@operation("BatchGetTraces", "xray")
def batch_get_traces(call: Call) -> Output:
    """The traces that are there, whole; ids of others are unprocessed. What was put before can be read."""
    ids = _few(call.given["TraceIds"], MOST_TRACES)
    call.cloud.traces.settle()
    found, unprocessed = [], []
    for given in ids:
        id_ = trace_id(given)
        segments = call.cloud.traces.store.segments(id_, call.scope.prefix)
        if segments:
            found.append(whole_trace(read_trace(id_, segments, call.caller.account), segments))
        else:
            unprocessed.append(given)
    return {"Traces": found, "UnprocessedTraceIds": unprocessed}


@operation("GetTraceSummaries", "xray")
def get_trace_summaries(call: Call) -> Output:
    """Summaries of the traces of a span of time that fit a filter, newest first, in pages, of which some are empty."""
    given = call.given
    span, share, behind = TimeRange.of(given), share_of(given), read_token(given.get("NextToken"))
    node = _filter(given["FilterExpression"]) if given.get("FilterExpression") else None
    call.cloud.traces.settle()
    keys = span.page(call.cloud.traces.store, call.scope.prefix, behind, PAGE + 1)
    traces = list(_traces(call, keys[:PAGE]))
    matches = ((trace, span.matched(trace, key)) for key, trace in traces if is_sampled(trace.id, share))
    found = [(trace, time) for trace, time in matches if time is not None and (node is None or fits(node, trace))]
    by_id = span.meaning == "TraceId"
    page: dict[str, Any] = {
        "TraceSummaries": [summary(trace, None if by_id else time) for trace, time in found],
        "ApproximateTime": call.now_ms() / 1000,
        "TracesProcessedCount": len(traces),
    }
    return {**page, "NextToken": token_of(keys[PAGE - 1])} if len(keys) > PAGE else page


@operation("GetTraceGraph", "xray")
def get_trace_graph(call: Call) -> Output:
    """The services of some traces, and the calls between them; ids of traces that are not there say nothing."""
    ids = [trace_id(each) for each in _few(call.given["TraceIds"], MOST_GRAPH_IDS)]
    call.cloud.traces.settle()
    return {"Services": service_graph(trace for _, trace in _traces(call, [Kept(0, each) for each in ids]))}


@operation("GetServiceGraph", "xray")
def get_service_graph(call: Call) -> Output:
    """The services of all traces that begin in a span of time, and the calls between them."""
    given = call.given
    span = TimeRange.of(given, MOST_GRAPH_HOURS)
    if given.get("GroupARN") or given.get("GroupName") not in {None, "Default"}:
        raise Refusal("InvalidRequestException", "This cloud has no groups but Default, which has all traces.")
    call.cloud.traces.settle()
    keys = span.page(call.cloud.traces.store, call.scope.prefix, None, MOST_GRAPH_TRACES)
    services = service_graph(trace for _, trace in _traces(call, keys))
    times = {"StartTime": given["StartTime"], "EndTime": given["EndTime"]}
    return {**times, "Services": services, "ContainsOldGroupVersions": False}


@operation("GetSamplingRules", "xray")
def get_sampling_rules(_call: Call) -> Output:
    """The default rule."""
    return trace_sampling.rules()


@operation("GetSamplingTargets", "xray")
def get_sampling_targets(call: Call) -> Output:
    """For each rule that is reported on, go on as before."""
    return trace_sampling.targets(call.given)


def _filter(text: str) -> Node:
    from relambda.api.traces.filter_expression import parse  # noqa: PLC0415 - its library costs 0.1 s and 9 MB at start

    return parse(text)


def _few(ids: list[str], most: int) -> list[str]:
    if len(ids) > most:
        raise Refusal("InvalidRequestException", f"No more than {most} traces can be got at once.")
    return ids


def _traces(call: Call, keys: Sequence[Kept]) -> Iterator[tuple[Kept, Trace]]:
    """Those that the caller may see."""
    for key in keys:
        segments = call.cloud.traces.store.segments(key.trace, call.scope.prefix)
        if segments:
            yield key, read_trace(key.trace, segments, call.caller.account)
