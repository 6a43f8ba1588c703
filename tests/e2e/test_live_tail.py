"""StartLiveTail as boto3 reads it: a stream of what functions write, that ends with its client or with the cloud."""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

pytestmark = pytest.mark.docker

Call = Callable[..., Any]
SAYS = "def handler(event, context):\n    print('said', event)\n"
SESSIONS = 15


def logs_of(cloud: Any) -> Any:
    """A client that leaves out the prefix `stream-` of the operation's host: no such name leads to this machine."""
    return boto3.client(
        "logs",
        endpoint_url=cloud.url,
        region_name="us-east-1",
        aws_access_key_id="111111111111",
        aws_secret_access_key="any",
        config=Config(
            inject_host_prefix=False,
            parameter_validation=False,
            retries={"total_max_attempts": 1},
            read_timeout=60,
            proxies={},
        ),
    )


def arn_of(name: str) -> str:
    """The ARN of a log group."""
    return f"arn:aws:logs:us-east-1:111111111111:log-group:{name}"


@pytest.fixture
def tail(shared_cloud: Any) -> Iterator[Callable[..., Any]]:
    """Starts live tails of the shared cloud, closed with the test; their event streams."""
    streams = []

    def start(*groups: str, **members: Any) -> Any:
        answer = logs_of(shared_cloud).start_live_tail(logGroupIdentifiers=[arn_of(each) for each in groups], **members)
        streams.append(answer["responseStream"])
        return iter(streams[-1])

    yield start
    for stream in streams:
        stream.close()


@pytest.fixture
def function(shared_cloud: Any, make_function: Any, call: Call) -> str:
    """A function that has a log."""
    aws = shared_cloud.client()
    name = str(make_function(aws, SAYS))
    call(aws, name, "before")
    shared_cloud.client(service="logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")
    return name


def told_until(events: Iterator[dict[str, Any]], kind: str, count: int) -> list[str]:
    """The messages of updates, up to the one that brings so many of this kind."""
    messages: list[str] = []
    while sum(message.startswith(kind) for message in messages) < count:
        (update,) = next(events).values()
        messages += [each["message"] for each in update["sessionResults"]]
    return messages


def test_a_function_is_followed(shared_cloud: Any, function: str, call: Call, tail: Callable[..., Any]) -> None:
    """Given a live tail of a function's group, then what it writes from then on comes, each line once, in order."""
    group = f"/aws/lambda/{function}"
    events = tail(group)
    start = next(events)["sessionStart"]
    assert start.keys() == {"requestId", "sessionId", "logGroupIdentifiers"}
    assert start["logGroupIdentifiers"] == [arn_of(group)]
    assert next(events) == {"sessionUpdate": {"sessionMetadata": {"sampled": False}, "sessionResults": []}}
    for word in ("one", "two"):
        call(shared_cloud.client(), function, word)
    lines = told_until(events, "REPORT ", 2)
    assert [line.split()[0] for line in lines] == ["START", "said", "END", "REPORT"] * 2
    assert [line for line in lines if line.startswith("said")] == ["said one\n", "said two\n"]


def test_what_an_event_holds(shared_cloud: Any, tail: Callable[..., Any]) -> None:
    """Given streams by prefix and a pattern, then an event that matches has its place and times, and no other comes."""
    logs, group = logs_of(shared_cloud), f"/test/{uuid.uuid4().hex}"
    logs.create_log_group(logGroupName=group)
    for stream in ("a/1", "b/1"):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    events = tail(group, logStreamNamePrefixes=["a/"], logEventFilterPattern="{ $.level = ERROR }")
    start = next(events)["sessionStart"]
    assert (start["logStreamNamePrefixes"], start["logEventFilterPattern"]) == (["a/"], "{ $.level = ERROR }")
    now = time.time_ns() // 1_000_000
    for stream, level in (("b/1", "ERROR"), ("a/1", "INFO"), ("a/1", "ERROR")):
        put = [{"timestamp": now - 60_000, "message": f'{{"level": "{level}"}}'}]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=put)
    results: list[dict[str, Any]] = []
    while not results:
        results = next(events)["sessionUpdate"]["sessionResults"]
    (found,) = results
    assert found.pop("ingestionTime") >= now
    assert found == {
        "logStreamName": "a/1",
        "logGroupIdentifier": arn_of(group),
        "message": '{"level": "ERROR"}',
        "timestamp": now - 60_000,
    }


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"logGroupIdentifiers": [arn_of("/nobody")]}, "ResourceNotFoundException"),
        ({"logGroupIdentifiers": []}, "InvalidParameterException"),
        ({"logGroupIdentifiers": [arn_of(f"/g{number}") for number in range(11)]}, "InvalidParameterException"),
        ({"logStreamNames": ["a"], "logStreamNamePrefixes": ["a"]}, "InvalidParameterException"),
        ({"logEventFilterPattern": "{"}, "InvalidParameterException"),
    ],
    ids=["missing", "none", "eleven", "names and prefixes", "pattern"],
)
def test_bad_input_is_refused(shared_cloud: Any, function: str, members: dict[str, Any], code: str) -> None:
    """Given input that makes no sense, then an ordinary error comes, and no stream."""
    logs = logs_of(shared_cloud)
    own = {"logGroupIdentifiers": [arn_of(f"/aws/lambda/{function}")]}
    with pytest.raises(ClientError) as refused:
        logs.start_live_tail(**{**own, **members})
    assert refused.value.response["Error"]["Code"] == code


def test_streams_are_for_one_group(shared_cloud: Any) -> None:
    """Given names of streams and two groups, then AWS's error."""
    logs = logs_of(shared_cloud)
    groups = [f"/test/{uuid.uuid4().hex}" for _ in range(2)]
    for group in groups:
        logs.create_log_group(logGroupName=group)
    with pytest.raises(ClientError) as refused:
        logs.start_live_tail(logGroupIdentifiers=[arn_of(group) for group in groups], logStreamNames=["a"])
    assert refused.value.response["Error"]["Code"] == "InvalidParameterException"


def test_a_client_that_leaves_makes_room(make_cloud: Any) -> None:
    """Given as many live tails as there may be, then one more is refused, until a client closes its stream."""
    cloud = make_cloud()
    logs = logs_of(cloud)
    logs.create_log_group(logGroupName="/g")

    def start() -> Any:
        return logs_of(cloud).start_live_tail(logGroupIdentifiers=["/g"])["responseStream"]

    streams = [start() for _ in range(SESSIONS)]
    with pytest.raises(ClientError) as refused:
        start()
    assert refused.value.response["Error"]["Code"] == "LimitExceededException"
    streams.pop().close()

    def fits() -> bool:
        try:
            streams.append(start())
        except ClientError:
            return False
        return True

    assert cloud.comes_to(fits), "the client that left still holds its session"
    for stream in streams:
        stream.close()


def test_a_stop_ends_live_tails(make_cloud: Any) -> None:
    """Given live tails, when the cloud is stopped, then their clients are told, and the stop is a clean one."""
    cloud = make_cloud()
    logs = logs_of(cloud)
    logs.create_log_group(logGroupName="/g")
    streams = [logs.start_live_tail(logGroupIdentifiers=["/g"])["responseStream"] for _ in range(3)]
    cloud.stop()
    for stream in streams:
        with pytest.raises(EventStreamError) as ended:
            list(stream)
        assert ended.value.response["Error"]["Code"] == "SessionStreamingException"
        stream.close()
