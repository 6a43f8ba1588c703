"""Live tails without a network: which events a session is told of, how many at once, and when it ends."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer

from relambda.api.logs.live_tail import (
    BACKLOG_BYTES,
    MOST_SESSIONS,
    SESSION_SECONDS,
    LiveTail,
    LiveTails,
    TooManyTailsError,
    Wanted,
)
from relambda.api.logs.pattern import parse
from relambda.store.logs.feed import Feed
from relambda.store.logs.records import GroupName, StreamName

GROUP = GroupName("111111111111", "us-east-1", "/g")
OTHER = GroupName("111111111111", "us-east-1", "/other")
NOW_MS = 1_700_000_000_000
Told = tuple[str, dict[str, Any]]


class Jumps:
    """A clock that goes on by a second, or more when told so, each time it is looked at."""

    def __init__(self) -> None:
        self.now = 0.0
        self.step = 1.0

    def monotonic(self) -> float:
        self.now += self.step
        return self.now

    def now_ms(self) -> int:
        return NOW_MS


@pytest.fixture
def tails() -> LiveTails:
    return LiveTails(Feed(), Jumps())


def wanted(*, names: tuple[str, ...] = (), prefixes: tuple[str, ...] = (), pattern: str = "") -> Wanted:
    """A session's wish for one group."""
    return Wanted({GROUP: "/g"}, frozenset(names), prefixes, parse(pattern))


def told(tail: LiveTail) -> Iterator[Told]:
    """What a session says, as an SDK reads it."""
    for piece in tail:
        buffer = EventStreamBuffer()
        buffer.add_data(piece)
        for event in buffer:
            headers = event.headers
            yield headers.get(":event-type") or headers[":exception-type"], json.loads(event.payload)


def add(tails: LiveTails, *messages: str, stream: str = "s", group: GroupName = GROUP) -> None:
    """Messages are added to a stream."""
    tails.feed.tell({StreamName(group, stream): [(NOW_MS - 5, each) for each in messages]}, NOW_MS)


def next_update(events: Iterator[Told]) -> dict[str, Any]:
    """The next update, which must come next."""
    kind, document = next(events)
    assert kind == "sessionUpdate"
    return document


def messages(update: dict[str, Any]) -> list[str]:
    return [each["message"] for each in update["sessionResults"]]


def test_a_session_begins_and_goes_on(tails: LiveTails) -> None:
    """Given a session, then it tells of its start, and each second of what was added, with nothing twice."""
    tail = tails.open(wanted(), {"sessionId": "1"})
    add(tails, "early")
    events = told(tail)
    assert [next(events), next(events)] == [("initial-response", {}), ("sessionStart", {"sessionId": "1"})]
    assert next_update(events) == {
        "sessionMetadata": {"sampled": False},
        "sessionResults": [
            {
                "logStreamName": "s",
                "logGroupIdentifier": "/g",
                "message": "early",
                "timestamp": NOW_MS - 5,
                "ingestionTime": NOW_MS,
            }
        ],
    }
    assert next_update(events) == {"sessionMetadata": {"sampled": False}, "sessionResults": []}


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (wanted(), ["a", "b", "c"]),
        (wanted(names=("one",)), ["a"]),
        (wanted(prefixes=("o", "tw")), ["a", "b"]),
        (wanted(pattern='?"b" ?"c"'), ["b", "c"]),
    ],
)
def test_what_counts(tails: LiveTails, wish: Wanted, expected: list[str]) -> None:
    """Given groups, names, prefixes or a pattern, then only what matches is told, and nothing of other groups."""
    events = told(tails.open(wish, {}))
    next(events), next(events)
    for stream, message in (("one", "a"), ("two", "b"), ("three", "c")):
        add(tails, message, stream=stream)
    add(tails, "a b c", stream="one", group=OTHER)
    assert messages(next_update(events)) == expected


def test_more_than_an_update_holds_is_sampled(tails: LiveTails) -> None:
    """Given 501 events in a second, then 500 from first to last come and the update says so, but not the next."""
    events = told(tails.open(wanted(), {}))
    next(events), next(events)
    add(tails, *(str(number) for number in range(1_000)))
    update = next_update(events)
    assert update["sessionMetadata"] == {"sampled": True}
    assert messages(update) == [str(number) for number in range(0, 1_000, 2)]
    add(tails, *(str(number) for number in range(500)))
    update = next_update(events)
    assert (update["sessionMetadata"], len(update["sessionResults"])) == ({"sampled": False}, 500)


def test_what_nobody_reads_is_bounded(tails: LiveTails) -> None:
    """Given more bytes than a session keeps, then the oldest go, and the next update says that it is not all."""
    events = told(tails.open(wanted(), {}))
    next(events), next(events)
    large = "x" * (BACKLOG_BYTES // 4)
    add(tails, *(f"{number} {large}" for number in range(8)))
    update = next_update(events)
    assert update["sessionMetadata"] == {"sampled": True}
    assert [each[0] for each in messages(update)] == ["5", "6", "7"]


def test_a_session_ends_after_three_hours(tails: LiveTails) -> None:
    """Given a session that has been open for as long as it may, then AWS's exception ends its stream."""
    events = told(tails.open(wanted(), {}))
    next(events), next(events), next(events)
    tails.clock.step = SESSION_SECONDS  # type: ignore[attr-defined]
    assert [kind for kind, _ in events] == ["SessionTimeoutException"]


def test_a_stop_ends_all_sessions(tails: LiveTails) -> None:
    """Given sessions, begun or not, when the cloud stops, then each tells so and ends."""
    begun = told(tails.open(wanted(), {}))
    next(begun)
    fresh = told(tails.open(wanted(), {}))
    tails.stop()
    assert [kind for kind, _ in begun] == ["sessionStart", "SessionStreamingException"]
    assert [kind for kind, _ in fresh] == ["initial-response", "sessionStart", "SessionStreamingException"]


@pytest.mark.parametrize("reads", [0, 1], ids=["not begun", "begun"])
def test_there_are_few_sessions(tails: LiveTails, reads: int) -> None:
    """Given as many sessions as there may be, then one more is refused until one of them is closed."""
    opened = [tails.open(wanted(), {}) for _ in range(MOST_SESSIONS)]
    for tail in opened:
        for _ in range(reads):
            next(tail)
    with pytest.raises(TooManyTailsError):
        tails.open(wanted(), {})
    for _ in range(2):
        opened[0].close()
    tails.open(wanted(), {})
    with pytest.raises(TooManyTailsError):
        tails.open(wanted(), {})


def test_a_closed_session_hears_nothing() -> None:
    """Given a session that was closed, then nothing is kept for it, and others are told on."""
    feed = Feed()
    tails = LiveTails(feed, Jumps())
    closed, open_ = tails.open(wanted(), {}), tails.open(wanted(), {})
    closed.close()
    add(tails, "late")
    updates = []
    for tail in (closed, open_):
        events = told(tail)
        next(events), next(events)
        updates.append(messages(next_update(events)))
    assert updates == [[], ["late"]]
