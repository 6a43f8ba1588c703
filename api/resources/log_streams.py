"""CloudWatch Logs: log streams."""

from typing import Any

from relambda.api.call import Call, Output
from relambda.api.logs.call import arn_of, group_of, invalid, logs_operation, settled, without_nones
from relambda.api.logs.pages import name_token, token_name
from relambda.store.logs.events import EventTable
from relambda.store.logs.groups import GroupTable
from relambda.store.logs.records import GroupName, LogStream, StreamName, StreamSpan


@logs_operation("CreateLogStream")
def create_log_stream(call: Call) -> Output:
    """Make a stream; nothing is answered."""
    call.cloud.logs.store.create_stream(_stream_of(call), call.now_ms())
    return None


@logs_operation("DeleteLogStream")
def delete_log_stream(call: Call) -> Output:
    """Remove a stream with its events."""
    name = _stream_of(call)
    with settled(call, name.group):
        call.cloud.logs.store.delete_stream(name)
    return None


def _stream_of(call: Call) -> StreamName:
    return StreamName(group_of(call), call.given["logStreamName"])


@logs_operation("DescribeLogStreams")
def describe_log_streams(call: Call) -> Output:
    """A page of a group's streams, by name or by their last events."""
    given, name = call.given, group_of(call)
    by_time, prefix = given.get("orderBy") == "LastEventTime", given.get("logStreamNamePrefix", "")
    if by_time and prefix:
        raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")

    def work(groups: GroupTable, _: EventTable) -> tuple[list[dict[str, Any]], str | None]:
        streams = list(groups.streams(groups.group(name).id, prefix))
        keys = {stream.name: _sort_key(groups, stream, by_time=by_time) for stream in streams}
        page, token = _page(call, streams, keys)
        return [_description(name, stream, groups.span(stream)) for stream in page], token

    with settled(call, name):
        described, token = call.cloud.logs.store.read(work)
    return without_nones({"logStreams": described, "nextToken": token})


def _sort_key(groups: GroupTable, stream: LogStream, *, by_time: bool) -> str:
    """Streams without events come first."""
    last_ms = (groups.span(stream).last_ms or 0) if by_time else 0
    return f"{last_ms:020d}/{stream.name}"


def _page(call: Call, streams: list[LogStream], keys: dict[str, str]) -> tuple[list[LogStream], str | None]:
    """The streams behind the token in the order that was asked for, and the token for the next ones."""
    descending, most = call.given.get("descending", False), call.given.get("limit", 50)
    after = token_name(call.given.get("nextToken"))
    streams.sort(key=lambda stream: keys[stream.name], reverse=descending)
    behind = [s for s in streams if not after or (keys[s.name] < after if descending else keys[s.name] > after)]
    page = behind[:most]
    return page, name_token(keys[page[-1].name]) if len(behind) > most else None


def _description(group: GroupName, stream: LogStream, span: StreamSpan) -> dict[str, Any]:
    return without_nones(
        {
            "logStreamName": stream.name,
            "creationTime": stream.created_ms,
            "firstEventTimestamp": span.first_ms,
            "lastEventTimestamp": span.last_ms,
            "lastIngestionTime": span.ingested_ms,
            "arn": f"{arn_of(group)}:log-stream:{stream.name}",
            "storedBytes": 0,
        }
    )
