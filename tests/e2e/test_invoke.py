"""Invocations in real containers, through the SDK: which environment works, and what comes of one that fails."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

pytestmark = pytest.mark.docker

PROBE = """
import os, pathlib, signal, socket, sys, time

count = 0


def handler(event, context):
    global count
    count += 1
    event = event or {}
    if "keep" in event:
        pathlib.Path("/tmp/kept").write_text(event["keep"])
    if "meet" in event:
        with socket.create_connection(tuple(event["meet"])) as meeting:
            meeting.recv(1)
    if event.get("hang"):
        time.sleep(600)
    if "exit" in event:
        os._exit(event["exit"])
    if "signal" in event:
        os.kill(os.getpid(), event["signal"])
    if "raise" in event:
        raise ValueError(event["raise"])
    kept = pathlib.Path("/tmp/kept")
    return {
        "count": count,
        "environment": context.log_stream_name,
        "kept": kept.read_text() if kept.exists() else None,
        "version": context.function_version,
    }
"""
LATE = """
import time

from awslambdaric.lambda_runtime_client import LambdaRuntimeClient

asks = LambdaRuntimeClient.wait_next_invocation


def asks_late(client):
    time.sleep(1)
    return asks(client)


LambdaRuntimeClient.wait_next_invocation = asks_late


def handler(event, context):
    return context.log_stream_name
"""
Call = Callable[..., Any]
SOON = {"Delay": 0.05, "MaxAttempts": 1200}


@pytest.fixture
def aws(shared_cloud: Any) -> Any:
    """A client of the shared cloud."""
    return shared_cloud.client()


@pytest.fixture
def probe(aws: Any, make_function: Any) -> str:
    """A function that does as its event bids it, with little time: enough for a start of the runtime inside it."""
    return str(make_function(aws, PROBE, Timeout=6))


def test_a_warm_environment_serves_again(aws: Any, probe: str, call: Call) -> None:
    """Given an invoked function, when it is invoked again, then the same process answers."""
    first, answer = call(aws, probe)
    second, _ = call(aws, probe)

    assert (first["count"], second["count"]) == (1, 2)
    assert first["environment"] == second["environment"]
    assert answer["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in answer


def test_a_caller_that_comes_before_the_runtime(aws: Any, make_function: Any, call: Call, shared_cloud: Any) -> None:
    """Given a runtime that takes its time to ask for more, when its caller calls again, then no other one starts."""
    name = make_function(aws, LATE)
    environments = {call(aws, name)[0] for _ in range(3)}

    assert len(environments) == 1
    assert len(shared_cloud.found_of(name)) == 1


def test_as_many_environments_as_invocations(
    aws: Any, probe: str, call: Call, rendezvous: Any, shared_cloud: Any
) -> None:
    """Given three invocations at once, then three environments run them; afterwards the last used one works first."""
    meet = {"meet": rendezvous.address}
    aws.update_function_configuration(FunctionName=probe, Timeout=60)
    aws.get_waiter("function_updated_v2").wait(FunctionName=probe, WaiterConfig=SOON)
    with ThreadPoolExecutor(3) as callers:
        running = [callers.submit(call, aws, probe, meet) for _ in range(3)]
        rendezvous.expect(3)
        assert shared_cloud.comes_to(lambda: len(shared_cloud.containers_of(probe)) == 3)
        rendezvous.release()
        environments = [each.result(60)[0]["environment"] for each in running]
    assert len(set(environments)) == 3

    served = [call(aws, probe)[0] for _ in range(3)]
    assert len({each["environment"] for each in served}) == 1
    assert [each["count"] for each in served] == [2, 3, 4]


def test_a_timeout_resets_the_process_and_keeps_tmp(aws: Any, probe: str, call: Call) -> None:
    """Given a function that hangs, then AWS's error; the next invoke finds /tmp as it was and the process anew."""
    call(aws, probe, {"keep": "this"})
    failed, answer = call(aws, probe, {"hang": True})
    request_id = answer["ResponseMetadata"]["RequestId"]
    after, _ = call(aws, probe)

    assert answer["FunctionError"] == "Unhandled"
    assert failed == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request_id} Error: Task timed out after 6.00 seconds",
    }
    assert (after.get("count"), after.get("kept")) == (1, "this"), after


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"exit": 3}, "Runtime exited with error: exit status 3"),
        ({"exit": 0}, "Runtime exited without providing a reason"),
        ({"exit": 255}, "Runtime exited with error: exit status 255"),
        ({"signal": 2}, "Runtime exited with error: signal: interrupt"),
        ({"signal": 9}, "Runtime exited with error: signal: killed"),
        ({"signal": 15}, "Runtime exited with error: signal: terminated"),
    ],
)
def test_a_runtime_that_ends(aws: Any, probe: str, call: Call, event: dict[str, int], told: str) -> None:
    """Given a process that ends while it works, then AWS's words; the next invoke is served, with /tmp as it was."""
    failed, answer = call(aws, probe, {"keep": "this", **event})
    after, _ = call(aws, probe)

    assert answer["FunctionError"] == "Unhandled"
    assert failed["errorType"] == "Runtime.ExitError"
    assert failed["errorMessage"] == f"RequestId: {answer['ResponseMetadata']['RequestId']} Error: {told}"
    assert (after.get("count"), after.get("kept")) == (1, "this"), after


def test_an_exception_is_the_functions_own(aws: Any, probe: str, call: Call) -> None:
    """Given a handler that raises, then its error document comes as the runtime wrote it, and the process lives."""
    failed, answer = call(aws, probe, {"raise": "no"})
    after, _ = call(aws, probe)

    assert answer["FunctionError"] == "Unhandled"
    assert (failed["errorType"], failed["errorMessage"]) == ("ValueError", "no")
    assert failed["requestId"] == answer["ResponseMetadata"]["RequestId"]
    assert after["count"] == 2


def test_a_module_that_cannot_be_loaded(aws: Any, make_function: Any, call: Call) -> None:
    """Given code that fails when it is loaded, then each invoke tells so, and none waits for a timeout."""
    broken = make_function(aws, "import nowhere\n", Timeout=30)
    for _ in range(2):
        failed, answer = call(aws, broken)
        assert answer["FunctionError"] == "Unhandled"
        assert failed["errorType"] == "Runtime.ImportModuleError"
        assert "nowhere" in failed["errorMessage"]


def test_a_container_that_somebody_removes(
    aws: Any, probe: str, call: Call, rendezvous: Any, shared_cloud: Any
) -> None:
    """Given a running invocation, when its container is killed, then it fails, and the next has a new environment."""
    import docker

    before, _ = call(aws, probe)
    mine = shared_cloud.found_of(probe)
    with ThreadPoolExecutor(1) as callers:
        running = callers.submit(call, aws, probe, {"meet": rendezvous.address})
        rendezvous.expect(1)
        engine = docker.from_env()
        for container in mine:
            engine.api.kill(container)
        engine.close()
        failed, answer = running.result(60)
    after, _ = call(aws, probe)

    assert answer["FunctionError"] == "Unhandled"
    assert failed["errorType"] == "Runtime.ExitError"
    assert after["count"] == 1
    assert after["environment"] != before["environment"]


def test_an_update_reaches_warm_environments(aws: Any, probe: str, call: Call, zipped: Callable[[str], bytes]) -> None:
    """Given a warm function, when its code is updated, then the next invoke runs the new code."""
    call(aws, probe)
    aws.update_function_code(FunctionName=probe, ZipFile=zipped("def handler(event, context):\n    return 'new'\n"))
    aws.get_waiter("function_updated_v2").wait(FunctionName=probe, WaiterConfig=SOON)

    assert call(aws, probe)[0] == "new"


def test_an_update_lets_running_invocations_end(
    aws: Any, probe: str, call: Call, rendezvous: Any, zipped: Callable[[str], bytes]
) -> None:
    """Given an invocation that runs, when the code is updated meanwhile, then it ends as it began."""
    aws.update_function_configuration(FunctionName=probe, Timeout=60)
    aws.get_waiter("function_updated_v2").wait(FunctionName=probe, WaiterConfig=SOON)
    with ThreadPoolExecutor(1) as callers:
        running = callers.submit(call, aws, probe, {"meet": rendezvous.address})
        rendezvous.expect(1)
        aws.update_function_code(FunctionName=probe, ZipFile=zipped("def handler(event, context):\n    return 'new'\n"))
        aws.get_waiter("function_updated_v2").wait(FunctionName=probe, WaiterConfig=SOON)
        assert call(aws, probe)[0] == "new"
        rendezvous.release()
        assert running.result(60)[0]["count"] == 1


def test_six_megabytes_there_and_back(aws: Any, make_function: Any, call: Call) -> None:
    """Given the largest event, then a function that echoes it answers it; one byte more is refused."""
    echo = make_function(aws)
    text = "x" * (6 * 1024 * 1024 - 2)

    assert call(aws, echo, text)[0] == text
    with pytest.raises(aws.exceptions.ClientError, match="RequestEntityTooLargeException"):
        aws.invoke(FunctionName=echo, Payload=b'"' + b"x" * (6 * 1024 * 1024 + 100) + b'"')


def test_the_cap_refuses_at_once(make_cloud: Any, make_function: Any, call: Call, rendezvous: Any) -> None:
    """Given as many invocations as the account may run, then one more gets 429 and the reason, and none waits."""
    aws = make_cloud(LAMBDA_LIMITS_CONCURRENT_EXECUTIONS="2", LAMBDA_LIMITS_MINIMUM_UNRESERVED_CONCURRENCY="0").client()
    name = make_function(aws, PROBE, Timeout=60)
    with ThreadPoolExecutor(2) as callers:
        running = [callers.submit(call, aws, name, {"meet": rendezvous.address}) for _ in range(2)]
        rendezvous.expect(2)
        with pytest.raises(aws.exceptions.TooManyRequestsException) as refused:
            call(aws, name)
        rendezvous.release()
        assert all(each.result(60)[0]["count"] == 1 for each in running)
    assert refused.value.response["Reason"] == "ConcurrentInvocationLimitExceeded"
    assert refused.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"]
    assert call(aws, name)[0]["count"] == 2


def test_idle_environments_end(make_cloud: Any, make_function: Any, call: Call) -> None:
    """Given a keep-alive of no time, then an environment ends with its invocation, and its container is removed."""
    cloud = make_cloud(LAMBDA_KEEPALIVE_MS="0")
    aws = cloud.client()
    name = make_function(aws, PROBE)
    first, _ = call(aws, name)
    second, _ = call(aws, name)

    assert first["environment"] != second["environment"]
    assert cloud.comes_to(lambda: not cloud.containers())


def test_a_reaper_spares_who_works(make_cloud: Any, make_function: Any, call: Call, rendezvous: Any) -> None:
    """Given a short keep-alive, when an environment works for longer than that, then it is left to end its work."""
    cloud = make_cloud(LAMBDA_KEEPALIVE_MS="300")
    aws = cloud.client()
    name = make_function(aws, PROBE, Timeout=60)
    call(aws, name)
    with ThreadPoolExecutor(1) as callers:
        running = callers.submit(call, aws, name, {"meet": rendezvous.address})
        rendezvous.expect(1)
        threading.Event().wait(0.6)
        rendezvous.release()
        assert running.result(60)[0]["count"] >= 1
    assert cloud.comes_to(lambda: not cloud.containers())
