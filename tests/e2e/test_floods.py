"""A function that floods the cloud takes nothing from the others: their logs are read, their calls are answered."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.docker, pytest.mark.alone]

Call = Callable[..., Any]
MIB = 1024 * 1024
SPEAKS = """
def handler(event, context):
    print("said", event)
    return event
"""
WRITES_LINE_ENDS = """
import os, select, socket

def handler(event, context):
    if event is None:
        return "well"
    with socket.create_connection(event) as test:
        while not select.select([test], [], [], 0)[0]:
            os.write(1, b"\\n" * 65_536)
"""
CONNECTS = """
import os, socket

HOST, PORT = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")

def connect():
    kept = []
    for _ in range(900):
        try:
            kept.append(socket.create_connection((HOST, int(PORT)), timeout=5))
        except OSError:
            pass
    return kept

def handler(event, context):
    with socket.create_connection(event) as test:
        children = []
        for _ in range(10):
            ready, done = os.pipe(), os.fork()
            if not done:
                kept = connect()
                os.write(ready[1], b"1")
                test.recv(1)
                os._exit(0)
            children.append(done)
            os.read(ready[0], 1)
        test.send(b"all")
        for child in children:
            os.waitpid(child, 0)
"""


def anonymous_bytes(pid: int) -> int:
    """The memory of a process that is its own, and no mapped file's."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) * 1024


def text_of(logs: Any, name: str) -> str:
    """The first page of a function's log."""
    events = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    return "".join(event["message"] for event in events)


def ends_with_a_report(logs: Any, group: str) -> bool:
    """Whether REPORT stands in the last pages of a log: behind it is what came while the container was killed."""
    (stream,) = logs.describe_log_streams(logGroupName=group)["logStreams"]
    place = {"logGroupName": group, "logStreamName": stream["logStreamName"]}
    token: dict[str, str] = {}
    for _ in range(20):
        page = logs.get_log_events(**place, **token)
        if any(event["message"].startswith("REPORT RequestId: ") for event in page["events"]):
            return True
        token = {"nextToken": page["nextBackwardToken"]}
    return False


def test_a_function_that_writes_empty_lines(cloud: Any, make_function: Any, call: Call, rendezvous: Any) -> None:
    """Given a function that writes line ends without end, then others' logs are read, and memory is bounded."""
    aws, logs = cloud.client(), cloud.client(service="logs")
    quiet = make_function(aws, SPEAKS)
    loud = make_function(aws, WRITES_LINE_ENDS, Timeout=120)
    worker = cloud.about().worker.pid
    before = anonymous_bytes(worker)
    with ThreadPoolExecutor(1) as callers:
        flooding = callers.submit(call, cloud.client(), loud, rendezvous.address)
        rendezvous.expect(1)
        for number in range(8):
            call(aws, quiet, number)
            text = text_of(logs, quiet)
            assert f"said {number}\n" in text
            assert text.count("REPORT ") == number + 1
            assert anonymous_bytes(worker) - before < 256 * MIB
        assert not flooding.done()
        rendezvous.release()
        _, answer = flooding.result(120)

    assert "FunctionError" not in answer
    assert call(aws, loud)[0] == "well"
    assert text_of(logs, loud).startswith("INIT_START")


def test_a_stop_in_a_flood(cloud: Any, make_function: Any, call: Call, rendezvous: Any) -> None:
    """Given a function that writes line ends without end, when the cloud stops, then its log has the last REPORT."""
    aws = cloud.client()
    loud = make_function(aws, WRITES_LINE_ENDS, Timeout=120)
    with ThreadPoolExecutor(1) as callers:
        flooding = callers.submit(call, aws, loud, rendezvous.address)
        rendezvous.expect(1)
        cloud.stop()
        assert flooding.exception(120) or "FunctionError" in flooding.result()[1]
    cloud.start()
    assert ends_with_a_report(cloud.client(service="logs"), f"/aws/lambda/{loud}")


def test_a_function_that_only_connects(cloud: Any, make_function: Any, call: Call, rendezvous: Any) -> None:
    """Given thousands of connections to the Runtime API that say nothing, then other functions start and answer."""
    aws = cloud.client()
    warm, silent = make_function(aws), make_function(aws, CONNECTS, Timeout=120, MemorySize=512)
    call(aws, warm, 1)
    with ThreadPoolExecutor(1) as callers:
        holding = callers.submit(call, cloud.client(), silent, rendezvous.address)
        rendezvous.expect(1)
        (test,) = rendezvous.arrived
        test.settimeout(120)
        assert test.recv(3) == b"all"
        for number in range(3):
            assert call(aws, make_function(aws), number)[0] == number
            assert call(aws, warm, number)[0] == number
        assert not holding.done()
        rendezvous.release()
        _, answer = holding.result(120)

    assert "FunctionError" not in answer
    log = cloud.log()
    assert log.count("that say nothing: it has too many") == 1
    assert "refuses connections" not in log
