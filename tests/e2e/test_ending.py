"""The end of an invocation: what the next one gets of it, and what it does not."""

import io
import re
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import pytest

pytestmark = pytest.mark.docker

Call = Callable[..., Any]

BOOTSTRAP = """#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while :; do
  event=$(curl -sS -D /tmp/headers "$api/next")
  id=$(grep -Fi Lambda-Runtime-Aws-Request-Id /tmp/headers | tr -d '[:space:]' | cut -d: -f2)
  deadline=$(grep -Fi Lambda-Runtime-Deadline-Ms /tmp/headers | tr -d '[:space:]' | cut -d: -f2)
  left=$((deadline - $(date +%s%3N)))
  curl -sS -o /dev/null "$api/$id/response" -d "{\\"left\\": $left, \\"event\\": $event}"
  case $event in
    *leave*) sleep 0.5; exit 9 ;;
    *linger*) sleep 600 ;;
    *late*) sleep 2 ;;
    *abandon*)
      curl -s --max-time 1 "$api/next"
      echo "$AWS_LAMBDA_FUNCTION_NAME asks no more"
      sleep 600
      ;;
  esac
done
"""
TOO_LARGE = """
loads = "x" * 7_000_000


def handler(event, context):
    return loads if event == "large" else context.log_stream_name
"""


PRINTS = """
for number in range(300):
    print("loads", number)


def handler(event, context):
    print("runs")
"""


@pytest.fixture
def aws(shared_cloud: Any) -> Any:
    """A client of the shared cloud."""
    return shared_cloud.client()


@pytest.fixture
def custom(aws: Any, make_function: Any, runtime_image: Callable[[str], str]) -> Callable[..., str]:
    """Creates a function with a runtime of its own, which answers with its event and how many milliseconds it has."""
    runtime_image("provided.al2023")

    def make(**members: Any) -> str:
        body = io.BytesIO()
        with zipfile.ZipFile(body, "w") as archive:
            entry = zipfile.ZipInfo("bootstrap")
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, BOOTSTRAP)
        code = {"ZipFile": body.getvalue()}
        return str(make_function(aws, Runtime="provided.al2023", Handler="any", Code=code, **members))

    return make


def test_the_call_after_an_answer_that_was_too_large(aws: Any, make_function: Any, call: Call) -> None:
    """Given a runtime that exits since its answer was refused, then the next call is answered, each time."""
    name = make_function(aws, TOO_LARGE, MemorySize=512, Timeout=30)
    for _ in range(4):
        refused, _ = call(aws, name, "large")
        assert refused["errorType"] == "Function.ResponseSizeTooLarge"
        told, answer = call(aws, name)
        assert "FunctionError" not in answer, told


def test_the_call_after_a_runtime_left(aws: Any, custom: Callable[..., str], call: Call) -> None:
    """Given a runtime that answers and exits, then the next call is answered by another process, each time."""
    name = custom(Timeout=30)
    for _ in range(4):
        before, _ = call(aws, name, "leave")
        after, answer = call(aws, name)
        assert "FunctionError" not in answer, after
        assert after["event"] is None
        assert before["event"] == "leave"


def test_the_call_after_a_runtime_that_does_not_come_back(
    aws: Any, shared_cloud: Any, custom: Callable[..., str], call: Call
) -> None:
    """Given a runtime that answers and asks for nothing more, then the next call is answered when it has been reset."""
    name = custom(Timeout=3)
    lingering, answer = call(aws, name, "linger")
    assert (lingering["event"], answer.get("FunctionError")) == ("linger", None)
    after, answer = call(aws, name, "next")
    assert "FunctionError" not in answer, after
    assert after["event"] == "next"
    assert "did not ask for more" in shared_cloud.log()


def test_a_runtime_that_does_not_come_back_is_reset_though_nobody_calls(
    aws: Any, shared_cloud: Any, custom: Callable[..., str], call: Call, until: Any
) -> None:
    """Given a runtime that lingers after its answer, then its processes end when the invocation's time is over."""
    name = custom(Timeout=1)
    call(aws, name, "linger")
    words = f"function:{name}"
    until(
        lambda: any(words in line and "did not ask for more" in line for line in shared_cloud.log().splitlines()),
        "the log tells of no reset",
    )
    assert call(aws, name, "next")[0]["event"] == "next"


def test_the_call_after_a_runtime_that_asked_and_went_away(
    aws: Any, shared_cloud: Any, custom: Callable[..., str], call: Call, until: Any
) -> None:
    """Given a runtime that asks for work and does not wait for it, then the next call is answered by a new one."""
    name = custom(Timeout=3)
    call(aws, name, "abandon")
    until(lambda: f"{name} asks no more" in shared_cloud.log(), "the runtime still asks")
    after, answer = call(aws, name, "next")
    assert "FunctionError" not in answer, after
    assert after["event"] == "next"
    assert "did not take it" in shared_cloud.log()


def test_the_time_of_an_invocation_is_its_own(custom: Callable[..., str], aws: Any, call: Call) -> None:
    """Given a runtime that asks for more two seconds after its answer, then the next deadline counts from there on."""
    name = custom(Timeout=20)
    call(aws, name, "late")
    assert call(aws, name)[0]["left"] > 19_000


def test_what_the_init_wrote_stands_before_the_first_invocation(
    aws: Any, shared_cloud: Any, make_function: Any, call: Call
) -> None:
    """Given a module that prints when it is loaded, then its line stands before START, in every environment."""
    logs = shared_cloud.client(service="logs")
    for _ in range(5):
        name = make_function(aws, PRINTS)
        call(aws, name)
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        kinds = [re.split(r"\s", event["message"])[0] for event in events]
        assert kinds == ["INIT_START", *["loads"] * 300, "START", "runs", "END", "REPORT"]


def test_an_environment_that_hangs(
    aws: Any, shared_cloud: Any, make_function: Any, call: Call, until: Callable[..., None]
) -> None:
    """Given a container that is paused, then its invocation times out, the log tells, and the next has another one."""
    name = make_function(aws, TOO_LARGE, Timeout=1)
    before, _ = call(aws, name)
    (container,) = shared_cloud.found_of(name)
    with closing(docker.from_env()) as engine:
        engine.api.pause(container)
    failed, _ = call(aws, name)
    assert failed["errorType"] == "Sandbox.Timedout"
    told, answer = call(aws, name)
    assert "FunctionError" not in answer, told
    assert told != before
    hangs = f"the container {container[:12]} hangs, its processes did not end within 5 s"
    assert hangs in shared_cloud.log()
    until(lambda: container not in shared_cloud.containers(), "the container that hung is still there")


def test_a_start_that_hangs(make_cloud: Any, make_function: Any, call: Call, tmp_path: Path) -> None:
    """Given containers that answer nothing, then an invocation fails soon, and the log tells where."""
    shell = tmp_path / "sh"
    shell.write_text("#!/bin/bash\nwhile read -r command; do :; done\n")
    shell.chmod(0o755)
    tmp_path.chmod(0o755)
    cloud = make_cloud(LAMBDA_DOCKER_FLAGS=f"-v {shell}:/bin/sh:ro")
    aws = cloud.client()
    failed, _ = call(aws, make_function(aws, TOO_LARGE))
    assert failed["errorType"] == "Sandbox.Failure"
    assert failed["errorMessage"].endswith("it did not answer its start within 5 s")
    assert re.search(r"the container [0-9a-f]{12} hangs", cloud.log())
