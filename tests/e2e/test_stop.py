"""What becomes of running invocations and of containers when a cloud ends, one way or another."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from relambda.api.cli.http_client import health

pytestmark = pytest.mark.docker

MEETS = """
import socket


def handler(event, context):
    with socket.create_connection(tuple(event)) as meeting:
        meeting.recv(1)
    return "done"
"""


@pytest.fixture
def meets(cloud: Any, make_function: Any) -> str:
    """A function that runs until the test lets it go on."""
    return str(make_function(cloud.client(), MEETS, Timeout=120))


def test_a_stop_lets_running_invocations_end(cloud: Any, meets: str, call: Callable[..., Any], rendezvous: Any) -> None:
    """Given a running invocation, when the cloud is stopped, then it ends well, and no container is left."""
    with ThreadPoolExecutor(2) as callers:
        running = callers.submit(call, cloud.client(), meets, rendezvous.address)
        rendezvous.expect(1)
        stopping = callers.submit(cloud.stop)
        assert cloud.comes_to(lambda: health(cloud.url) is None)
        rendezvous.release()
        assert running.result(60)[0] == "done"
        stopping.result(60)
    assert not cloud.containers()


@pytest.mark.parametrize("who", ["worker", "master", "both"])
def test_a_killed_cloud_leaves_no_container(
    cloud: Any, meets: str, call: Callable[..., Any], rendezvous: Any, who: str
) -> None:
    """Given a running invocation, when processes are killed, then no container of before is left after the start."""
    with ThreadPoolExecutor(1) as callers:
        running = callers.submit(call, cloud.client(), meets, rendezvous.address)
        rendezvous.expect(1)
        before = cloud.containers()
        cloud.kill(master=who != "worker", worker=who != "master")
        if who == "master":  # the worker sees that it is alone, and stops as it is told to
            rendezvous.release()
            assert running.result(60)[0] == "done"
        else:
            assert running.exception(60) is not None
        cloud.revive(who)
        assert before
        assert not before & cloud.containers()
        rendezvous.release()
        again = callers.submit(call, cloud.client(), meets, rendezvous.address)
        rendezvous.expect(1)
        rendezvous.release()
        assert again.result(60)[0] == "done"
