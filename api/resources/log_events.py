"""CloudWatch Logs: events put, read stream by stream, and searched for in a group."""

from itertools import pairwise
from typing import Any

from relambda.api.call import Call, Output
from relambda.api.logs.call import group_of, invalid, logs_operation, settled, without_nones
from relambda.api.logs.pages import Cut, Page, behind, take_page
from relambda.api.logs.pattern import parse
from relambda.api.logs.pattern_text import Pattern
from relambda.store.logs.events import EventTable
from relambda.store.logs.groups import GroupTable
from relambda.store.logs.keys import LAST
from relambda.store.logs.records import EVENT_OVERHEAD, LogEvent, LogGroup, Place, StreamName

MOST_EVENTS = 10_000
BATCH_BYTES = 1_048_576
DAY_MS = 86_400_000
TOO_OLD_MS = 14 * DAY_MS
TOO_NEW_MS = 2 * 3_600_000
"""CloudWatch Logs API, "PutLogEvents", for all four."""


@logs_operation("PutLogEvents")
def put_log_events(call: Call) -> Output:
    """Add events to a stream; those too old, expired or too new are left out, and the answer says which."""
    given, store = call.given, call.cloud.logs.store
    name = StreamName(group_of(call), given["logStreamName"])
    events = [(each["timestamp"], each["message"]) for each in given["logEvents"]]
    _check_batch(events)
    now_ms = call.now_ms()
    group = store.read(lambda groups, _: groups.group(name.group))
    oldest_ms, kept_ms = now_ms - TOO_OLD_MS, group.cutoff_ms(now_ms)
    taken = [event for event in events if max(oldest_ms, kept_ms) <= event[0] <= now_ms + TOO_NEW_MS]
    _check_span(taken)
    store.put(name, taken, now_ms)
    if store.is_due_for_trim:
        store.trim(now_ms)
    info = _rejected([at_ms for at_ms, _ in events], oldest_ms, kept_ms, now_ms + TOO_NEW_MS)
    return {"rejectedLogEventsInfo": info} if info else {}


def _check_batch(events: list[tuple[int, str]]) -> None:
    size = sum(len(message.encode("utf-8", "replace")) + EVENT_OVERHEAD for _, message in events)
    if size > BATCH_BYTES:
        raise invalid(f"Upload too large: {size} bytes exceeds limit of {BATCH_BYTES}")
    if any(later[0] < earlier[0] for earlier, later in pairwise(events)):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")


def _check_span(taken: list[tuple[int, str]]) -> None:
    if taken and taken[-1][0] - taken[0][0] > DAY_MS:
        raise invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")


def _rejected(times: list[int], oldest_ms: int, kept_ms: int, newest_ms: int) -> dict[str, int]:
    """The ends of what is too old are exclusive, the start of what is too new is the first of them."""
    too_old = sum(at_ms < oldest_ms for at_ms in times)
    expired = sum(at_ms < kept_ms for at_ms in times)
    fit = sum(at_ms <= newest_ms for at_ms in times)
    return without_nones(
        {
            "tooOldLogEventEndIndex": too_old or None,
            "expiredLogEventEndIndex": expired or None,
            "tooNewLogEventStartIndex": fit if fit < len(times) else None,
        }
    )


@logs_operation("GetLogEvents")
def get_log_events(call: Call) -> Output:
    """A page of a stream's events, oldest first: the last ones, or the first ones, or those beside a token."""
    given, name = call.given, group_of(call)
    cut = Cut.read(given["nextToken"]) if "nextToken" in given else None
    backwards = cut.backwards if cut else not given.get("startFromHead", False)

    def work(groups: GroupTable, events: EventTable) -> tuple[Page, Place]:
        group = groups.group(name)
        stream = groups.stream(group.id, given["logStreamName"])
        low, high = _bounds(call, group, given.get("endTime", LAST) - 1)
        low, high = cut.within(low, high) if cut else (low, high)
        found = events.of_stream(stream, low, high, backwards=backwards)
        return take_page(found, given.get("limit", MOST_EVENTS), lambda _: True), low

    with settled(call, name):
        page, low = call.cloud.logs.store.read(work)
    events = page.events[::-1] if backwards else page.events
    stays = cut.place if cut else low
    first, last = (events[0].place, behind(events[-1].place)) if events else (stays, stays)
    return {
        "events": [_event(event) for event in events],
        "nextForwardToken": Cut(last, backwards=False).token,
        "nextBackwardToken": Cut(first, backwards=True).token,
    }


@logs_operation("FilterLogEvents")
def filter_log_events(call: Call) -> Output:
    """A page of a group's events that match a pattern, of all streams together, by time."""
    given, name = call.given, group_of(call)
    if given.get("logStreamNames") and given.get("logStreamNamePrefix"):
        raise invalid("logStreamNamePrefix and logStreamNames cannot both be specified.")
    cut = Cut.read(given["nextToken"]) if "nextToken" in given else None
    backwards = not given.get("startFromHead", True)
    pattern = parse(given.get("filterPattern", ""))

    def work(groups: GroupTable, events: EventTable) -> tuple[Page, dict[int, str]]:
        group = groups.group(name)
        names = _searched(call, groups, group)
        low, high = _bounds(call, group, given.get("endTime", LAST))
        low, high = cut.within(low, high) if cut else (low, high)
        found = events.of_group(group.id, low, high, backwards=backwards)
        return take_page(found, given.get("limit", MOST_EVENTS), lambda event: _matches(event, names, pattern)), names

    with settled(call, name):
        page, names = call.cloud.logs.store.read(work)
    token = None
    if page.stopped is not None:
        place = page.stopped.place
        token = Cut(place if backwards else behind(place), backwards=backwards).token
    events = [{**_event(event), **_identity(event, names)} for event in page.events]
    return without_nones({"events": events, "searchedLogStreams": [], "nextToken": token})


def _searched(call: Call, groups: GroupTable, group: LogGroup) -> dict[int, str]:
    """The streams that are searched, by their ids. Raises LogStreamNotFoundError for one that is not there."""
    wanted = call.given.get("logStreamNames")
    if wanted:
        return {groups.stream(group.id, name).id: name for name in wanted}
    return {stream.id: stream.name for stream in groups.streams(group.id, call.given.get("logStreamNamePrefix", ""))}


def _matches(event: LogEvent, names: dict[int, str], pattern: Pattern) -> bool:
    return event.stream_id in names and pattern(event.message)


def _bounds(call: Call, group: LogGroup, last_ms: int) -> tuple[Place, Place]:
    """The first and last place that count; what has expired does not, though it may still be there."""
    first_ms = max(call.given.get("startTime", 0), group.cutoff_ms(call.now_ms()))
    return Place(first_ms, 0), Place(max(0, last_ms), LAST)


def _event(event: LogEvent) -> dict[str, Any]:
    return {"timestamp": event.place.at_ms, "message": event.message, "ingestionTime": event.ingested_ms}


def _identity(event: LogEvent, names: dict[int, str]) -> dict[str, Any]:
    return {"logStreamName": names[event.stream_id], "eventId": f"{event.place.at_ms:016d}{event.place.sequence:040d}"}
