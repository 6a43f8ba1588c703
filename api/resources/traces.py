"""X-Ray's own operations on the traces that are kept: put segments, get traces, find them, ask for sampling rules."""

from typing import Any, Final

from relambda.actors.domain.refusals import Refusal
from relambda.actors.traces import sampling as trace_sampling
from relambda.actors.traces.document import BadSegmentError, read_segment, trace_id
from relambda.api.call import Call, Output, operation
from relambda.api.trace_summary import read, summary, whole_trace

MOST_TRACES: Final = 5
"""Traces of one BatchGetTraces (X-Ray API reference: 5 at a time)."""
PAGE: Final = 100
"""Traces that one page of GetTraceSummaries looks at."""
MOST_HOURS: Final = 24


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
    ids = call.given["TraceIds"]
    if len(ids) > MOST_TRACES:
        raise Refusal("InvalidRequestException", f"No more than {MOST_TRACES} traces can be got at once.")
    call.cloud.traces.settle()
    found, unprocessed = [], []
    for given in ids:
        segments = call.cloud.traces.store.segments(trace_id(given), call.scope.prefix)
        if segments:
            found.append(whole_trace(trace_id(given), segments))
        else:
            unprocessed.append(given)
    return {"Traces": found, "UnprocessedTraceIds": unprocessed}


@operation("GetTraceSummaries", "xray")
def get_trace_summaries(call: Call) -> Output:
    """Summaries of the traces that begin in a span of time, oldest first, in pages."""
    given = call.given
    start, end = given["StartTime"], given["EndTime"]
    if end < start or end - start > MOST_HOURS * 3600:
        raise Refusal("InvalidRequestException", f"EndTime must be after StartTime, and within {MOST_HOURS} hours.")
    if given.get("FilterExpression"):
        raise Refusal(
            "InvalidRequestException", "Relambda understands no filter expressions: leave FilterExpression out."
        )
    call.cloud.traces.settle()
    first = given.get("NextToken") or f"1-{int(start):08x}-"
    ids = call.cloud.traces.store.traces(first, f"1-{int(end):08x}-g", PAGE + 1)
    page: dict[str, Any] = {
        "TraceSummaries": _summaries(call, ids[:PAGE]),
        "ApproximateTime": call.now_ms() / 1000,
        "TracesProcessedCount": len(ids[:PAGE]),
    }
    return {**page, "NextToken": ids[PAGE]} if len(ids) > PAGE else page


@operation("GetSamplingRules", "xray")
def get_sampling_rules(_call: Call) -> Output:
    """The default rule."""
    return trace_sampling.rules()


@operation("GetSamplingTargets", "xray")
def get_sampling_targets(call: Call) -> Output:
    """For each rule that is reported on, go on as before."""
    return trace_sampling.targets(call.given)


def _summaries(call: Call, ids: Any) -> list[dict[str, Any]]:
    found = ((each, call.cloud.traces.store.segments(each, call.scope.prefix)) for each in ids)
    return [summary(each, [read(segment) for segment in segments]) for each, segments in found if segments]
