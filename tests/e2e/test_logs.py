"""What functions' logs hold: the lines AWS writes, in its order, and the last words of whoever failed."""

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.docker

Call = Callable[..., Any]
TALKS = """
import os, sys, time

def handler(event, context):
    event = event or {}
    print("hello")
    print("grief", file=sys.stderr)
    if event.get("fill"):
        kept = bytearray(event["fill"] * 1024 * 1024)
        kept[::4096] = b"x" * len(kept[::4096])
    if event.get("exit"):
        os._exit(event["exit"])
    if event.get("hang"):
        time.sleep(600)
    return context.log_stream_name
"""
REPORT = re.compile(
    r"REPORT RequestId: (?P<id>\S+)\tDuration: (?P<duration>\d+\.\d\d) ms\tBilled Duration: (?P<billed>\d+) ms\t"
    r"Memory Size: (?P<size>\d+) MB\tMax Memory Used: (?P<used>\d+) MB\t(Init Duration: (?P<init>\d+\.\d\d) ms\t)?"
    r"(?P<status>Status: .*)?\n"
)


def tail_of(answer: dict[str, Any]) -> str:
    """LogResult as text."""
    return base64.b64decode(answer["LogResult"]).decode()


def test_log_result(shared_cloud: Any, make_function: Any, call: Call) -> None:
    """Given LogType=Tail, then LogResult has what the invocation wrote between AWS's lines, with figures measured."""
    aws = shared_cloud.client()
    name = make_function(aws, TALKS)
    _, first = call(aws, name, {}, LogType="Tail")
    _, second = call(aws, name, {"fill": 40}, LogType="Tail")

    request_id = first["ResponseMetadata"]["RequestId"]
    start, *own, end, report = tail_of(first).splitlines(keepends=True)
    assert start == f"START RequestId: {request_id} Version: $LATEST\n"
    assert sorted(own) == ["grief\n", "hello\n"]
    assert end == f"END RequestId: {request_id}\n"
    figures = REPORT.fullmatch(report)
    assert figures is not None
    assert figures["id"] == request_id
    assert int(figures["billed"]) - 1 < float(figures["duration"]) <= int(figures["billed"])
    assert float(figures["init"]) > 0
    warm = REPORT.search(tail_of(second))
    assert warm is not None
    assert warm["init"] is None
    assert int(warm["used"]) >= int(figures["used"]) + 35


READS = """
def handler(event, context):
    with open("/tmp/large", "wb") as large:
        for _ in range(100):
            large.write(bytes(1024 * 1024))
    with open("/tmp/large", "rb") as large:
        return sum(len(piece) for piece in iter(lambda: large.read(1024 * 1024), b""))
"""


def test_cached_files_are_no_memory_used(shared_cloud: Any, make_function: Any, call: Call) -> None:
    """Given a function that writes and reads a file of 100 MB, then its memory is its own, in LogResult and the log."""
    aws = shared_cloud.client()
    name = make_function(aws, READS, MemorySize=256)
    size, answer = call(aws, name, LogType="Tail")
    assert size == 100 * 1024 * 1024
    for text in (tail_of(answer), Logs(shared_cloud, name).text()):
        figures = REPORT.search(text)
        assert figures is not None
        assert 4 < int(figures["used"]) < 60


class Logs:
    """What a function's log group holds, as the SDK reads it."""

    def __init__(self, cloud: Any, name: str) -> None:
        self.client, self.group = cloud.client(service="logs"), f"/aws/lambda/{name}"

    def streams(self) -> list[str]:
        """Names of its streams."""
        pages = self.client.get_paginator("describe_log_streams").paginate(logGroupName=self.group)
        return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]

    def text(self, **members: Any) -> str:
        """All its events, one behind the other."""
        pages = self.client.get_paginator("filter_log_events").paginate(logGroupName=self.group, **members)
        return "".join(event["message"] for page in pages for event in page["events"])


def test_the_log_of_an_environment(shared_cloud: Any, make_function: Any, call: Call) -> None:
    """Given invocations, then a stream has AWS's name and lines, each invocation's output between its own."""
    aws = shared_cloud.client()
    name = make_function(aws, TALKS + "\nprint('loaded')\n")
    calls = [call(aws, name) for _ in range(30)]
    logs = Logs(shared_cloud, name)

    assert set(logs.streams()) >= {stream for stream, _ in calls}
    for stream in {stream for stream, _ in calls}:
        assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream)
        begin, loaded, *lines = logs.text(logStreamNames=[stream]).splitlines(keepends=True)
        assert begin.startswith("INIT_START Runtime Version: python:3.11.v1\tRuntime Version ARN: arn:aws:lambda:")
        assert loaded == "loaded\n"
        ids = [answer["ResponseMetadata"]["RequestId"] for where, answer in calls if where == stream]
        assert len(lines) == 5 * len(ids)
        for number, request_id in enumerate(ids):
            start, *own, end, report = lines[5 * number : 5 * number + 5]
            assert start == f"START RequestId: {request_id} Version: $LATEST\n"
            assert sorted(own) == ["grief\n", "hello\n"]
            assert end == f"END RequestId: {request_id}\n"
            figures = REPORT.fullmatch(report)
            assert figures is not None
            assert figures["id"] == request_id
            assert (figures["init"] is None) is (number > 0)


def test_json_logs_with_levels(shared_cloud: Any, make_function: Any, call: Call) -> None:
    """Given the JSON format and levels, then the platform's records and what of the function's own is severe enough."""
    aws = shared_cloud.client()
    source = """
import logging

def handler(event, context):
    logging.getLogger().info("quiet")
    logging.getLogger().error("loud")
"""
    config = {"LogFormat": "JSON", "ApplicationLogLevel": "WARN", "SystemLogLevel": "INFO"}
    name = make_function(aws, source, LoggingConfig=config)
    _, answer = call(aws, name, LogType="Tail")
    logs = Logs(shared_cloud, name)
    start, loud, report = (json.loads(line) for line in logs.text().splitlines())

    assert start["type"] == "platform.start"
    assert (loud["level"], loud["message"]) == ("ERROR", "loud")
    assert report["type"] == "platform.report"
    assert report["record"]["requestId"] == answer["ResponseMetadata"]["RequestId"]
    assert 1 < report["record"]["metrics"]["maxMemoryUsedMB"] <= 128
    kinds = [json.loads(line).get("type") for line in tail_of(answer).splitlines()]
    assert kinds == ["platform.start", None, "platform.report"]


EATS = """


def handler(event, context):
    print("before the end", flush=True)
    kept = [bytearray(b"x") * (16 * 1024 * 1024) for _ in range(64)]
    return len(kept)
"""


EXITED = r"RequestId: ID Error: Runtime exited with error: {}\nRuntime.ExitError\nEND RequestId: ID\nREPORT .*"
FAILED = r"\tStatus: error\tError Type: Runtime.ExitError\n"


@pytest.mark.parametrize(
    ("source", "event", "expected"),
    [
        (TALKS, {"exit": 7}, "hello\n.*" + EXITED.format("exit status 7") + FAILED),
        (
            TALKS,
            {"hang": True},
            r"hello\n.*\d\dZ ID Task timed out after 1.00 seconds\n\nEND RequestId: ID\nREPORT .*\tStatus: timeout\n",
        ),
        (
            EATS,
            {},
            "before the end\n"
            + EXITED.format("signal: killed")
            + "Memory Size: 128 MB\tMax Memory Used: 128 MB.*"
            + FAILED,
        ),
    ],
    ids=["exit", "timeout", "out of memory"],
)
def test_last_words(
    shared_cloud: Any, make_function: Any, call: Call, source: str, event: dict[str, Any], expected: str
) -> None:
    """Given an invocation that does not end by itself, then all it wrote is kept, and AWS's lines say what happened."""
    aws = shared_cloud.client()
    name = make_function(aws, source, Timeout=1 if "hang" in event else 20, MemorySize=128)
    _, answer = call(aws, name, event, LogType="Tail")
    expected = expected.replace("ID", answer["ResponseMetadata"]["RequestId"])

    assert answer["FunctionError"] == "Unhandled"
    assert re.search(expected, Logs(shared_cloud, name).text(), re.DOTALL)
    assert re.search(expected, tail_of(answer), re.DOTALL)


def test_an_init_that_fails(shared_cloud: Any, make_function: Any, call: Call) -> None:
    """Given a module that cannot be loaded, then what it wrote and why it failed are kept."""
    aws = shared_cloud.client()
    name = make_function(aws, "print('I load')\nimport nowhere\n")
    call(aws, name)
    text = Logs(shared_cloud, name).text()

    assert "I load\n" in text
    assert "No module named 'nowhere'" in text
    assert re.search(
        r"INIT_REPORT Init Duration: \d+\.\d\d ms\tPhase: init\tStatus: error\tError Type: Runtime\.", text
    )


def test_logs_survive_a_restart(make_cloud: Any, make_function: Any, call: Call) -> None:
    """Given a cloud that is stopped, and then one that is killed, then the logs are as they were, and go on."""
    cloud = make_cloud()
    aws = cloud.client()
    name = make_function(aws, TALKS)
    call(aws, name)
    cloud.stop()
    cloud.start()
    before = Logs(cloud, name).text()
    assert [line.split()[0] for line in before.splitlines()][-2:] == ["END", "REPORT"]
    call(aws, name)
    longer = Logs(cloud, name).text()
    cloud.kill(master=True, worker=True)
    cloud.start()

    assert longer.startswith(before)
    assert longer != before
    assert Logs(cloud, name).text() == longer


def test_the_aws_command_line(shared_cloud: Any, make_function: Any, call: Call) -> None:
    """Given the AWS CLI, then it finds the group, its streams and the events that match."""
    aws = shared_cloud.client()
    name = make_function(aws, TALKS)
    call(aws, name)
    group = f"/aws/lambda/{name}"

    def cli(*arguments: str) -> Any:
        environ = {**os.environ, "AWS_ACCESS_KEY_ID": "111111111111", "AWS_SECRET_ACCESS_KEY": "x", "NO_COLOR": "1"}
        where = ["--endpoint-url", shared_cloud.url, "--region", "us-east-1", "--output", "json"]
        command = [sys.executable, "-P", "-m", "awscli", "logs", *arguments, *where]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environ)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert [each["logGroupName"] for each in cli("describe-log-groups", "--log-group-name-prefix", group)["logGroups"]]
    (stream,) = cli("describe-log-streams", "--log-group-name", group)["logStreams"]
    found = cli("filter-log-events", "--log-group-name", group, "--filter-pattern", "hello")["events"]
    assert [event["message"] for event in found] == ["hello\n"]
    events = cli("get-log-events", "--log-group-name", group, "--log-stream-name", stream["logStreamName"])["events"]
    assert len(events) == 6


def test_the_command_line(shared_cloud: Any, make_function: Any, call: Call) -> None:
    """Given `relambda logs FUNCTION`, then its lines, the last or those since a time, as text and JSON, and live."""
    aws = shared_cloud.client()
    name = make_function(aws, TALKS)
    call(aws, name)
    environ = {**os.environ, "AWS_ACCESS_KEY_ID": "111111111111", "AWS_REGION": "us-east-1"}

    def command(*arguments: str) -> list[str]:
        where = ["--state-dir", str(shared_cloud.state)]
        return [sys.executable, "-P", "-m", "relambda.api.cli", "logs", *arguments, *where]

    def shown(*arguments: str) -> list[str]:
        done = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=60, env=environ, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    whole = shown(name)
    assert [line.split()[0] for line in whole[:2]] == ["INIT_START", "START"]
    assert whole[-1].startswith("REPORT ")
    assert shown(name, "-n", "2") == whole[-2:]
    assert shown(f"arn:aws:lambda:us-east-1:111111111111:function:{name}", "--since", "1h") == whole
    assert shown(name, "--since", "2100-01-01T00:00") == []
    last = json.loads(shown(name, "-n", "1", "--json")[0])
    assert last["message"].rstrip("\n") == whole[-1]
    wrong = subprocess.run(command("nobody"), capture_output=True, text=True, timeout=60, env=environ, check=False)
    assert wrong.returncode == 1
    assert "The specified log group does not exist." in wrong.stderr

    with subprocess.Popen(command(name, "-f", "-n", "1"), stdout=subprocess.PIPE, text=True, env=environ) as live:
        assert live.stdout is not None
        assert live.stdout.readline().startswith("REPORT ")
        call(aws, name)
        kinds = [live.stdout.readline().split()[0] for _ in range(5)]
        live.terminate()
    assert kinds[0] == "START"
    assert sorted(kinds[1:3]) == ["grief", "hello"]
    assert kinds[3:] == ["END", "REPORT"]


def test_a_function_is_followed_from_its_first_line_on(shared_cloud: Any, make_function: Any, call: Call) -> None:
    """Given a function that was never invoked, then it has no lines yet, and `-f` shows the first when they come."""
    aws = shared_cloud.client()
    name = make_function(aws, TALKS)
    environ = {**os.environ, "AWS_ACCESS_KEY_ID": "111111111111", "AWS_REGION": "us-east-1"}
    command = [sys.executable, "-P", "-m", "relambda.api.cli", "logs", name, "--state-dir", str(shared_cloud.state)]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environ, check=False)
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "", "")

    with subprocess.Popen([*command, "-f"], stdout=subprocess.PIPE, text=True, env=environ) as live:
        assert live.stdout is not None
        call(aws, name)
        kinds = [live.stdout.readline().split()[0] for _ in range(6)]
        live.terminate()
    assert (kinds[:2], kinds[-1]) == (["INIT_START", "START"], "REPORT")


def test_how_much_the_cloud_shows(make_cloud: Any, make_function: Any, call: Call) -> None:
    """Given LAMBDA_TRUNCATE_STDOUT, then the cloud's own log shows so many characters of each invocation, no more."""
    cloud = make_cloud(LAMBDA_TRUNCATE_STDOUT="14")
    aws = cloud.client()
    name = make_function(
        aws, "def handler(event, context):\n    print('first')\n    print('second')\n    print('third')\n"
    )
    call(aws, name)
    call(aws, name)
    assert Logs(cloud, name).text().count("third\n") == 2

    told = [line.partition(f"{name}: ")[2] for line in cloud.log().splitlines() if "relambda.function" in line]
    assert told == ["first", "second", f"... (all of it: relambda logs {name})"] * 2
