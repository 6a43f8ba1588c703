"""The phases of an execution environment: its init, the init inside an invocation, and what is reported of each."""

import io
import uuid
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import docker
import pytest

pytestmark = pytest.mark.docker

Call = Callable[..., Any]

SLOW_ONCE = """
import os, pathlib, time

if not pathlib.Path("/tmp/seen").exists():
    pathlib.Path("/tmp/seen").touch()
    time.sleep(600)


def handler(event, context):
    return os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
"""
SLOW = "import time\ntime.sleep(600)\n"


@pytest.fixture
def hasty(make_cloud: Any) -> Any:
    """A cloud whose environments have three seconds to start."""
    return make_cloud(LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT="3")


def test_an_init_that_takes_too_long_is_done_again_in_the_invocation(
    hasty: Any, make_function: Any, call: Call
) -> None:
    """Given an init past its limit, then the invocation starts it once more, inside the function's own timeout."""
    aws = hasty.client()
    once = make_function(aws, SLOW_ONCE, Timeout=30)
    told, answer = call(aws, once)
    assert (told, answer.get("FunctionError")) == ("on-demand", None)
    always = make_function(aws, SLOW, Timeout=2)
    failed, answer = call(aws, always)
    assert failed["errorMessage"].endswith("Task timed out after 2.00 seconds")


def test_an_init_that_fails_is_reported_twice(shared_cloud: Any, make_function: Any, call: Call) -> None:
    """Given a module that cannot be loaded, then it is tried in the init and in the invocation, and the log says so."""
    name = make_function(shared_cloud.client(), "import nowhere\n", Timeout=30)
    failed, _ = call(shared_cloud.client(), name)
    assert failed["errorType"] == "Runtime.ImportModuleError"
    assert failed["errorMessage"] == "Unable to import module 'index': No module named 'nowhere'"
    logs = shared_cloud.client(service="logs")
    reports: list[list[str]] = []

    def both_reported() -> bool:
        lines = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="INIT_REPORT")["events"]
        reports[:] = [line["message"].rstrip().split("\t")[1:] for line in lines]
        return len(reports) == 2

    assert shared_cloud.comes_to(both_reported), reports
    error = ["Status: error", "Error Type: Runtime.ImportModuleError"]
    assert reports == [["Phase: init", *error], ["Phase: invoke", *error]]
    events = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    words, _, report = [event["message"] for event in events][-3:]
    assert words.endswith(f" Error: {failed['errorMessage']}\nRuntime.ImportModuleError\n")
    assert report.rstrip().split("\t")[-2:] == error


MEETS = """
import os, socket

with socket.create_connection((os.environ["MEET"], int(os.environ["PORT"]))) as meeting:
    meeting.recv(1)


def handler(event, context):
    return event
"""


def test_a_container_that_is_killed_in_its_init(
    shared_cloud: Any, make_function: Any, call: Call, rendezvous: Any
) -> None:
    """Given an environment that initialises, when its container is killed, then the invocation tells, and no other."""
    aws = shared_cloud.client()
    host, port = rendezvous.address
    name = make_function(aws, MEETS, Timeout=30, Environment={"Variables": {"MEET": str(host), "PORT": str(port)}})
    with ThreadPoolExecutor(1) as callers, closing(docker.from_env()) as engine:
        starting = callers.submit(call, aws, name)
        rendezvous.expect(1)
        (container,) = shared_cloud.found_of(name)
        engine.api.kill(container)
        failed, _ = starting.result(60)
        rendezvous.release()
        again = callers.submit(call, aws, name, "again")
        rendezvous.expect(1)
        rendezvous.release()
        assert again.result(60)[0] == "again"
    assert failed["errorType"] == "Runtime.ExitError"
    assert failed["errorMessage"].endswith("signal: killed")


def test_a_wrapper_script_starts_the_runtime(shared_cloud: Any, make_function: Any, call: Call) -> None:
    """Given AWS_LAMBDA_EXEC_WRAPPER, then that script in a layer starts the runtime; a missing one is status 127."""
    aws = shared_cloud.client()
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        entry = zipfile.ZipInfo("wrapper")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, '#!/bin/sh\nexport WRAPPED="by $0"\nexec "$@"\n')
    layer = aws.publish_layer_version(LayerName=f"l-{uuid.uuid4().hex[:12]}", Content={"ZipFile": body.getvalue()})
    source = "import os\n\ndef handler(event, context):\n    return os.environ['WRAPPED']\n"

    def wrapped(path: str) -> Any:
        variables = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": path}}
        return call(aws, make_function(aws, source, Layers=[layer["LayerVersionArn"]], Environment=variables))[0]

    assert wrapped("/opt/wrapper") == "by /opt/wrapper"
    assert wrapped("/opt/nowhere")["errorMessage"].endswith("Runtime exited with error: exit status 127")
