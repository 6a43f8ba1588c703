"""CloudWatch Logs on the same port: groups, streams and events, through boto3 and its paginators."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def logs_of(cloud: dict[str, Any], session: Any) -> Callable[[str, str], Any]:
    """Makes logs clients of an account and region; they do not retry."""

    def client(account: str, region: str) -> Any:
        return session.client(
            "logs",
            endpoint_url=cloud["url"],
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key="parity",
            config=Config(retries={"total_max_attempts": 1}),
        )

    return client


@pytest.fixture(scope="module")
def logs(logs_of: Callable[[str, str], Any]) -> Any:
    """The logs client of the account that the tests work in."""
    return logs_of("111111111111", "us-east-1")


@pytest.fixture
def group(logs: Any) -> str:
    """A new log group."""
    name = f"/test/{uuid.uuid4().hex}"
    logs.create_log_group(logGroupName=name)
    return name


@pytest.fixture
def stream(logs: Any, group: str) -> str:
    """A stream of the group."""
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    return "one"


def now_ms() -> int:
    """The time."""
    return time.time_ns() // 1_000_000


def put(logs: Any, group: str, stream: str, *events: tuple[int, str]) -> dict[str, Any]:
    """Put events; the answer."""
    found = [{"timestamp": at_ms, "message": message} for at_ms, message in events]
    return dict(logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=found))


def refusal(call: Any, **members: Any) -> str:
    """The code and message with which a call is refused."""
    with pytest.raises(ClientError) as refused:
        call(**members)
    error = refused.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def test_groups(logs: Any) -> None:
    """Given groups, then they are described with AWS's members, page by page, and are gone when deleted."""
    base = f"/groups/{uuid.uuid4().hex}"
    names = [f"{base}/{number:02}" for number in range(7)]
    for name in names:
        logs.create_log_group(logGroupName=name, tags={"a": "b"})
    pages = logs.get_paginator("describe_log_groups").paginate(
        logGroupNamePrefix=base, PaginationConfig={"PageSize": 3}
    )
    found = [each for page in pages for each in page["logGroups"]]

    assert [each["logGroupName"] for each in found] == names
    arn = f"arn:aws:logs:us-east-1:111111111111:log-group:{names[0]}"
    assert (found[0]["arn"], found[0]["logGroupArn"]) == (f"{arn}:*", arn)
    assert (found[0]["storedBytes"], found[0]["logGroupClass"]) == (0, "STANDARD")
    assert "retentionInDays" not in found[0]
    (one,) = logs.describe_log_groups(logGroupNamePattern=names[3][-20:])["logGroups"]
    assert one["logGroupName"] == names[3]

    logs.delete_log_group(logGroupName=names[3])
    assert logs.describe_log_groups(logGroupNamePrefix=names[3])["logGroups"] == []
    assert refusal(logs.delete_log_group, logGroupName=names[3]) == (
        "ResourceNotFoundException: The specified log group does not exist."
    )
    assert refusal(logs.create_log_group, logGroupName=names[0]) == (
        "ResourceAlreadyExistsException: The specified log group already exists"
    )


def test_retention_and_protection(logs: Any, group: str) -> None:
    """Given a retention, then it is told, and what has expired is not read; a protected group stays."""
    logs.put_retention_policy(logGroupName=group, retentionInDays=1)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    answer = put(logs, group, "s", (now_ms() - 2 * DAY_MS, "expired"), (now_ms() - 1000, "kept"))

    assert answer["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"] == 1
    logs.delete_retention_policy(logGroupName=group)
    put(logs, group, "s", (now_ms() - 2 * DAY_MS, "old"))
    assert messages(logs.filter_log_events(logGroupName=group)) == ["old", "kept"]
    logs.put_retention_policy(logGroupName=group, retentionInDays=1)
    assert messages(logs.filter_log_events(logGroupName=group)) == ["kept"]
    assert "Member must satisfy enum value set" in refusal(
        logs.put_retention_policy, logGroupName=group, retentionInDays=2
    )

    logs.put_log_group_deletion_protection(logGroupIdentifier=group, deletionProtectionEnabled=True)
    assert refusal(logs.delete_log_group, logGroupName=group).startswith("ValidationException")
    logs.put_log_group_deletion_protection(logGroupIdentifier=group, deletionProtectionEnabled=False)
    logs.delete_log_group(logGroupName=group)


def test_tags(logs: Any, group: str) -> None:
    """Given tags, then they are added, told and removed, by the group's ARN."""
    arn = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["logGroupArn"]
    logs.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    logs.untag_resource(resourceArn=arn, tagKeys=["a", "c"])

    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
    assert logs.list_tags_log_group(logGroupName=group)["tags"] == {"b": "2"}


def test_streams(logs: Any, group: str) -> None:
    """Given streams, then they are listed by name or by their last event, both ways, page by page."""
    now = now_ms()
    for number, name in enumerate(["c", "a", "b"]):
        logs.create_log_stream(logGroupName=group, logStreamName=name)
        put(logs, group, name, (now - 1000 + number, "x"))
    logs.create_log_stream(logGroupName=group, logStreamName="empty")

    def names(**members: Any) -> list[str]:
        pages = logs.get_paginator("describe_log_streams").paginate(
            logGroupName=group, PaginationConfig={"PageSize": 2}, **members
        )
        return [each["logStreamName"] for page in pages for each in page["logStreams"]]

    assert names() == ["a", "b", "c", "empty"]
    assert names(descending=True) == ["empty", "c", "b", "a"]
    assert names(orderBy="LastEventTime", descending=True) == ["b", "a", "c", "empty"]
    assert names(logStreamNamePrefix="e") == ["empty"]
    (told,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="c")["logStreams"]
    assert (told["firstEventTimestamp"], told["lastEventTimestamp"]) == (now - 1000, now - 1000)
    assert told["lastIngestionTime"] >= now
    assert told["arn"].endswith(f":log-group:{group}:log-stream:c")
    logs.delete_log_stream(logGroupName=group, logStreamName="c")
    assert names() == ["a", "b", "empty"]
    assert refusal(logs.delete_log_stream, logGroupName=group, logStreamName="c") == (
        "ResourceNotFoundException: The specified log stream does not exist."
    )


def messages(answer: dict[str, Any]) -> list[str]:
    """The messages of a page."""
    return [event["message"] for event in answer["events"]]


def test_reading_a_stream(logs: Any, group: str, stream: str) -> None:
    """Given events, then a stream is read from either end, on and back; a token that stays says that it is over."""
    now = now_ms()
    put(logs, group, stream, *((now - 1000 + number, str(number)) for number in range(10)))

    def read(**members: Any) -> dict[str, Any]:
        return dict(logs.get_log_events(logGroupName=group, logStreamName=stream, limit=4, **members))

    last = read()
    assert messages(last) == ["6", "7", "8", "9"]
    middle = read(nextToken=last["nextBackwardToken"])
    assert messages(middle) == ["2", "3", "4", "5"]
    assert messages(read(nextToken=middle["nextForwardToken"])) == ["6", "7", "8", "9"]

    pages, answer = [], read(startFromHead=True)
    while answer["events"]:
        pages.append(messages(answer))
        answer = read(nextToken=answer["nextForwardToken"])
    assert pages == [["0", "1", "2", "3"], ["4", "5", "6", "7"], ["8", "9"]]
    token = answer["nextForwardToken"]
    assert read(nextToken=token)["nextForwardToken"] == token
    put(logs, group, stream, (now, "new"))
    assert messages(read(nextToken=token)) == ["new"]
    times = {"startTime": now - 998, "endTime": now - 996, "startFromHead": True}
    assert messages(read(**times)) == ["2", "3"]
    assert refusal(read, nextToken="nonsense") == "InvalidParameterException: The specified nextToken is invalid."


def test_searching_a_group(logs: Any, group: str) -> None:
    """Given several streams, then a search reads them together by time, with a pattern, by streams and by times."""
    now = now_ms()
    for name in ("a/1", "a/2", "b"):
        logs.create_log_stream(logGroupName=group, logStreamName=name)
    for number in range(9):
        put(logs, group, ("a/1", "a/2", "b")[number % 3], (now - 1000 + number, f'{{"n": {number}}}'))

    def search(**members: Any) -> list[str]:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, PaginationConfig={"PageSize": 2}, **members
        )
        return [event["message"][6:-1] for page in pages for event in page["events"]]

    assert search() == [str(number) for number in range(9)]
    assert search(startFromHead=False) == [str(number) for number in reversed(range(9))]
    assert search(filterPattern="{ $.n >= 4 && $.n != 7 }") == ["4", "5", "6", "8"]
    assert search(logStreamNamePrefix="a/") == ["0", "1", "3", "4", "6", "7"]
    assert search(logStreamNames=["b", "a/1"]) == ["0", "2", "3", "5", "6", "8"]
    assert search(startTime=now - 998, endTime=now - 996) == ["2", "3", "4"]
    (first, *_) = logs.filter_log_events(logGroupIdentifier=group, limit=1)["events"]
    assert (first["logStreamName"], first["timestamp"]) == ("a/1", now - 1000)
    ids = [event["eventId"] for event in logs.filter_log_events(logGroupName=group)["events"]]
    assert len(set(ids)) == 9
    assert refusal(logs.filter_log_events, logGroupName=group, filterPattern="{").startswith("InvalidParameter")
    assert refusal(logs.filter_log_events, logGroupName=group, logStreamNames=["none"]) == (
        "ResourceNotFoundException: The specified log stream does not exist."
    )


def test_following_a_group(logs: Any, group: str, stream: str) -> None:
    """Given what `aws logs tail --follow` does, asking again from the last time on, then each event comes once."""
    now = now_ms()
    seen: dict[str, str] = {}
    start = now - 5000
    for number in range(3):
        put(logs, group, stream, (now - 1000, f"{number} a"), (now - 1000, f"{number} b"))
        answer = logs.filter_log_events(logGroupName=group, startTime=start, interleaved=True)
        seen |= {event["eventId"]: event["message"] for event in answer["events"]}
        start = max(event["timestamp"] for event in answer["events"])
        assert list(seen.values()) == [f"{each} {letter}" for each in range(number + 1) for letter in "ab"]


def test_what_a_batch_may_not_be(logs: Any, group: str, stream: str) -> None:
    """Given events that are too old, too new, out of order or too many bytes, then AWS's answers."""
    now = now_ms()
    old, soon, late = (now - 15 * DAY_MS, "old"), (now, "now"), (now + 3 * 3_600_000, "late")

    answer = put(logs, group, stream, old, soon, late)
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2}
    assert messages(logs.filter_log_events(logGroupName=group)) == ["now"]
    events = {"logGroupName": group, "logStreamName": stream}
    wrong = [{"timestamp": now, "message": "a"}, {"timestamp": now - 1, "message": "b"}]
    assert refusal(logs.put_log_events, logEvents=wrong, **events) == (
        "InvalidParameterException: Log events in a single PutLogEvents request must be in chronological order."
    )
    large = [{"timestamp": now, "message": "x" * 1_048_551}]
    assert refusal(logs.put_log_events, logEvents=large, **events) == (
        "InvalidParameterException: Upload too large: 1048577 bytes exceeds limit of 1048576"
    )
    long = [{"timestamp": now - 2 * DAY_MS, "message": "a"}, {"timestamp": now, "message": "b"}]
    assert "cannot span more than 24 hours" in refusal(logs.put_log_events, logEvents=long, **events)
    nowhere = {"logGroupName": group, "logStreamName": "none", "logEvents": wrong[:1]}
    assert refusal(logs.put_log_events, **nowhere) == (
        "ResourceNotFoundException: The specified log stream does not exist."
    )


def test_accounts_and_regions_do_not_see_each_other(logs_of: Callable[[str, str], Any], logs: Any, group: str) -> None:
    """Given a group, then another account or region neither lists nor reads it, by name or by ARN."""
    arn = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["logGroupArn"]
    for other in (logs_of("222222222222", "us-east-1"), logs_of("111111111111", "eu-west-1")):
        assert other.describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []
        assert refusal(other.filter_log_events, logGroupName=group).startswith("ResourceNotFoundException")
        assert refusal(other.filter_log_events, logGroupIdentifier=arn).startswith("ResourceNotFoundException")
    assert logs.filter_log_events(logGroupIdentifier=arn)["events"] == []


def test_operations_that_are_not_there(logs: Any) -> None:
    """Given an operation that is not built, then a clear 501 that names it."""
    with pytest.raises(ClientError) as refused:
        logs.start_query(logGroupName="/g", startTime=0, endTime=1, queryString="fields @message")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert refused.value.response["Error"]["Message"] == "Relambda does not answer the operation StartQuery yet."
