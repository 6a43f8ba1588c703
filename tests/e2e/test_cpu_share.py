"""CPU in proportion to memory: what the control groups say, and what it does to functions that compete."""

import json
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docker
import pytest

from relambda.actors.engine.docker_engine import DockerEngine

pytestmark = pytest.mark.docker

Call = Callable[..., Any]
SMALL, WHOLE = 128, 1769
"""MB of memory: the least there is, and what goes with one vCPU (limits.tsv, "memory")."""
SHARES = {SMALL: 128 * 1024 // 1769, WHOLE: 1024}
QUOTAS = {SMALL: 128 * 100_000 // 1769, WHOLE: 100_000}
"""Microseconds in 100,000."""
LOOK = """
import json, os, pathlib, socket, time

GROUPS = pathlib.Path("/sys/fs/cgroup")


def number(*names):
    for name in names:
        if (GROUPS / name).exists():
            return int((GROUPS / name).read_text())


def limits():
    \"\"\"What the container's own control group says, in the words of version 1 or 2.\"\"\"
    stat = GROUPS / "cpu/cpu.stat" if (GROUPS / "cpu").exists() else GROUPS / "cpu.stat"
    throttled = int(dict(line.split() for line in stat.read_text().splitlines())["nr_throttled"])
    if (GROUPS / "cpu.max").exists():
        quota, period = (GROUPS / "cpu.max").read_text().split()
        return {"weight": number("cpu.weight"), "quota": -1 if quota == "max" else int(quota), "period": int(period),
                "throttled": throttled}
    return {"shares": number("cpu/cpu.shares"), "quota": number("cpu/cpu.cfs_quota_us"),
            "period": number("cpu/cpu.cfs_period_us"), "throttled": throttled}


def work(seconds):
    \"\"\"Use that much processor time, whatever else goes on.\"\"\"
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def compete(event):
    \"\"\"On one processor, from the test's word on until it hangs up: how much of it this function has had.\"\"\"
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with socket.create_connection((event["host"], event["port"])) as meeting:
        meeting.sendall(json.dumps(event["memory"]).encode() + b"\\n")
        meeting.recv(1)
        meeting.setblocking(False)
        began = time.process_time()
        while time.process_time() - began < event["seconds"]:
            try:
                meeting.recv(1)
                break
            except BlockingIOError:
                work(0.002)
        return time.process_time() - began


def handler(event, context):
    if "port" in event:
        return compete(event)
    work(event.get("work", 0))
    return limits()
"""


def allowed(seen: dict[str, int], memory: int, quota: int) -> bool:
    """Whether a control group has the weight that goes with so much memory, and that quota.

    With cgroup v2 the engine writes the shares as a weight between 1 and 10,000.
    """
    shares = SHARES[memory]
    weight = {"shares": shares} if "shares" in seen else {"weight": 1 + (shares - 2) * 9999 // 262_142}
    return {**seen, "throttled": 0} == {**weight, "quota": quota, "period": 100_000, "throttled": 0}


def test_a_weight_by_memory_is_all_there_is_by_default(shared_cloud: Any, make_function: Any, call: Call) -> None:
    """Given functions of 128 and 1,769 MB, when they work, then they have their weights, and nothing holds them."""
    aws = shared_cloud.client()
    for memory in (SMALL, WHOLE):
        seen, answer = call(aws, make_function(aws, LOOK, MemorySize=memory, Timeout=60), {"work": 0.3})
        assert "FunctionError" not in answer, seen
        assert allowed(seen, memory, -1), seen
        assert seen["throttled"] == 0


def test_functions_that_compete_share_by_memory(
    shared_cloud: Any, make_function: Any, call: Call, docker_engine: DockerEngine
) -> None:
    """Given functions of 128 and 1,769 MB on one processor, when both want it, then the large one has many times as
    much of it: 14 times by their weights.
    """
    aws = shared_cloud.client()
    names = {memory: make_function(aws, LOOK, MemorySize=memory, Timeout=120) for memory in (SMALL, WHOLE)}
    with socket.create_server((docker_engine.runtime_api_host(), 0)) as listener, ThreadPoolExecutor(2) as threads:
        listener.settimeout(60)
        host, port = listener.getsockname()[:2]
        event = {"host": host, "port": port, "seconds": 1.0}
        calls = {memory: threads.submit(call, aws, name, {**event, "memory": memory}) for memory, name in names.items()}
        meetings = {}
        for _ in names:
            connection = listener.accept()[0]
            meetings[json.loads(connection.makefile().readline())] = connection
        for connection in meetings.values():
            connection.sendall(b"x")
        large = calls[WHOLE].result()[0]
        meetings[SMALL].close()
        small = calls[SMALL].result()[0]
        meetings[WHOLE].close()
    assert large > 4 * small > 0, (large, small)


def test_a_quota_holds_a_function_even_alone(make_cloud: Any, make_function: Any, call: Call) -> None:
    """Given RELAMBDA_CPU_LIMIT=1, when a function of 128 MB works, then its part of a vCPU is all it gets."""
    aws = make_cloud(RELAMBDA_CPU_LIMIT="1").client()
    seen, answer = call(aws, make_function(aws, LOOK, Timeout=60), {"work": 0.1})
    assert "FunctionError" not in answer, seen
    assert allowed(seen, SMALL, QUOTAS[SMALL]), seen
    assert seen["throttled"] > 0


@pytest.mark.parametrize("limited", [False, True], ids=["weight", "quota"])
def test_a_spare_container_gets_its_functions_part(
    make_cloud: Any, make_function: Any, call: Call, *, limited: bool
) -> None:
    """Given a spare container of 128 MB, when a function of 1,769 has it, then CPU is the function's too."""
    cloud = make_cloud(RELAMBDA_POOL_SIZE="1", RELAMBDA_CPU_LIMIT=str(int(limited)))
    aws = cloud.client()
    small = make_function(aws, LOOK, Timeout=60)
    with docker.APIClient(version="auto") as engine:
        mine = {"label": [f"relambda={(cloud.state / 'cloud-id').read_text().strip()}", "relambda.spare"]}
        assert cloud.comes_to(lambda: engine.containers(filters=mine))
        large = make_function(aws, LOOK, Timeout=60, MemorySize=WHOLE)
        (spare,) = engine.containers(filters=mine)
        before = engine.inspect_container(spare["Id"])["HostConfig"]
        assert (before["CpuShares"], before["CpuQuota"]) == (SHARES[SMALL], QUOTAS[SMALL] if limited else 0)
        seen, answer = call(aws, large, {})
        assert "FunctionError" not in answer, seen
        assert len(cloud.dressed_of(large)) == 1, "a container was made for the function"
        assert allowed(seen, WHOLE, QUOTAS[WHOLE] if limited else -1), seen
        seen, _ = call(aws, small, {})
        assert allowed(seen, SMALL, QUOTAS[SMALL] if limited else -1), seen
