"""Asynchronous invocations end to end: an accepted event runs, again when it failed, after a kill too, and once."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from relambda.api.cli.http_client import health

pytestmark = pytest.mark.docker

SOURCE = """
import socket


def handler(event, context):
    with socket.create_connection(tuple(event)) as meeting:
        meeting.sendall(context.aws_request_id.encode())
        if meeting.recv(1) == b"!":
            raise ValueError("told to fail")
"""


class Meetings:
    """Where the handlers call in, each with the request id that it got."""

    def __init__(self, rendezvous: Any) -> None:
        self._rendezvous = rendezvous
        self.address = list(rendezvous.address)

    def expect(self, count: int) -> list[str]:
        """Wait until so many handlers have called in; the ids of their requests."""
        self._rendezvous.expect(count)
        return sorted(handler.recv(100).decode() for handler in self._rendezvous.arrived)

    def fail(self) -> None:
        """Let those that have come raise."""
        for handler in self._rendezvous.arrived:
            handler.sendall(b"!")
        self._rendezvous.release()

    def succeed(self) -> None:
        """Let those that have come return."""
        self._rendezvous.release()


class Events:
    """A function whose handlers meet the test, and the log that grows by what becomes of its events."""

    def __init__(self, cloud: Any, name: str, meetings: Meetings) -> None:
        self.cloud, self.name, self.aws, self.meetings = cloud, name, cloud.client(), meetings
        self.before = self.position

    @property
    def position(self) -> int:
        found = health(self.cloud.url)
        assert found is not None
        return int(found["position"])

    def send(self, **given: Any) -> str:
        """Send an event; its request id."""
        payload = str(self.meetings.address).replace("'", '"')
        answer = self.aws.invoke(FunctionName=self.name, InvocationType="Event", Payload=payload, **given)
        assert answer["StatusCode"] == 202
        return str(answer["ResponseMetadata"]["RequestId"])

    def comes_to(self, happened: int) -> bool:
        """Whether the log has just so many events more than at first, once it has."""
        return bool(self.cloud.comes_to(lambda: self.position == self.before + happened))


@pytest.fixture
def events(make_cloud: Any, make_function: Callable[..., str], rendezvous: Any) -> Iterator[Callable[..., Events]]:
    """Makes a cloud with options and the function in it."""

    def make(**options: str) -> Events:
        cloud = make_cloud(**options)
        return Events(cloud, make_function(cloud.client(), SOURCE, Timeout=60), Meetings(rendezvous))

    yield make
    rendezvous.release()


def test_a_failure_is_tried_three_times(events: Callable[..., Events]) -> None:
    """Given a function that fails, then its event is run three times under one id, and is done with."""
    sent = events(LAMBDA_RETRY_BASE_DELAY="1")
    request_id = sent.send()
    for _ in range(3):
        assert sent.meetings.expect(1) == [request_id]
        sent.meetings.fail()

    assert sent.comes_to(4), "accepted, tried again twice, done with"


def test_no_retry_where_none_is_wanted(events: Callable[..., Events]) -> None:
    """Given no retries, or an age that a retry would exceed, when the function fails, then its event is done with."""
    sent = events()
    for config in ({"MaximumRetryAttempts": 0}, {"MaximumEventAgeInSeconds": 60}):
        sent.aws.put_function_event_invoke_config(FunctionName=sent.name, **config)
        sent.before = sent.position
        sent.send()
        sent.meetings.expect(1)
        sent.meetings.fail()
        assert sent.comes_to(2), "accepted, done with"


def test_what_was_accepted_outlives_a_kill(events: Callable[..., Events]) -> None:
    """Given events that run when the cloud is killed, when it is started again, then each runs anew, and once."""
    sent = events()
    accepted = sorted(sent.send() for _ in range(3))
    assert sent.meetings.expect(3) == accepted
    sent.cloud.kill(master=True, worker=True)
    sent.meetings.succeed()
    sent.cloud.start()

    assert sent.meetings.expect(3) == accepted
    sent.meetings.succeed()
    assert sent.comes_to(6), "three accepted, three done with"


def test_a_throttled_event_waits(events: Callable[..., Events]) -> None:
    """Given a function that runs once at a time, when two events come, then both run, one after the other."""
    sent = events()
    sent.aws.put_function_concurrency(FunctionName=sent.name, ReservedConcurrentExecutions=1)
    sent.before = sent.position
    accepted = [sent.send(), sent.send()]
    ran = sent.meetings.expect(1)
    sent.meetings.succeed()
    ran += sent.meetings.expect(1)
    sent.meetings.succeed()

    assert sorted(ran) == sorted(accepted)
    assert sent.comes_to(4), "two accepted, two done with"
