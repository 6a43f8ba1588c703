"""What functions' logs hold: the lines AWS writes, in its order, and the last words of whoever failed."""

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.docker

Call = Callable[..., Any]
TALKS = """
import os, sys, time

def handler(event, context):
    print("hello")
    print("grief", file=sys.stderr)
    if event.get("fill"):
        kept = bytearray(event["fill"] * 1024 * 1024)
        kept[::4096] = b"x" * len(kept[::4096])
    if event.get("exit"):
        os._exit(event["exit"])
    if event.get("hang"):
        time.sleep(600)
    return event
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
