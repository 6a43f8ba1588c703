"""SnapStart: what a version does before it is Active, what its hooks see, and the errors that go with it."""

import base64
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import pytest

pytestmark = pytest.mark.docker

Call = Callable[..., Any]
SOON = {"Delay": 1, "MaxAttempts": 60}

SOURCE = """
import os, time
from snapshot_restore_py import register_after_restore, register_before_snapshot

told = [os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]]


@register_before_snapshot
def before():
    told.append("before")


@register_after_restore
def after():
    if os.environ.get("HOOK") == "fails":
        raise ValueError("no")
    if os.environ.get("HOOK") == "hangs":
        time.sleep(600)
    told.append("after")


def handler(event, context):
    told.append("handled")
    return told
"""


@pytest.fixture
def aws(shared_cloud: Any) -> Any:
    """A client of the shared cloud."""
    return shared_cloud.client()


@pytest.fixture
def publish(aws: Any, make_function: Any, runtime_image: Callable[[str], str]) -> Callable[..., Any]:
    """Publishes a version of a function with SnapStart; its name, and the version as it is then."""
    runtime_image("python3.13")

    def publish(source: str = SOURCE, **variables: str) -> tuple[str, Any]:
        snap_start = {"ApplyOn": "PublishedVersions"}
        environment = {"Variables": variables}
        name = make_function(
            aws, source, Runtime="python3.13", SnapStart=snap_start, Environment=environment, Timeout=20
        )
        return name, aws.publish_version(FunctionName=name)

    return publish


def active(aws: Any, name: str) -> None:
    aws.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="1", WaiterConfig=SOON)


def test_hooks_run_before_the_snapshot_and_behind_it(aws: Any, publish: Any, call: Call) -> None:
    """Given a version with SnapStart, then it is initialised when it is published, and restored by its first invoke."""
    name, version = publish()
    assert version["State"] == "Pending"
    active(aws, name)
    first, answer = call(aws, name, Qualifier="1", LogType="Tail")
    assert first == ["snap-start", "before", "after", "handled"]
    report = base64.b64decode(answer["LogResult"]).decode()
    assert "Restore Duration: " in report
    assert "Init Duration: " not in report
    assert call(aws, name, Qualifier="1")[0] == [*first, "handled"]
    assert call(aws, name)[0][0] == "on-demand"


def test_a_version_is_not_ready_before_its_snapshot(aws: Any, publish: Any, call: Call) -> None:
    """Given a version whose init is slow, then an invoke is refused until the version is Active."""
    name, _ = publish("import time\ntime.sleep(3)\n" + SOURCE)
    with pytest.raises(aws.exceptions.SnapStartNotReadyException, match="Lambda is initializing your function"):
        call(aws, name, Qualifier="1")
    active(aws, name)
    assert call(aws, name, Qualifier="1")[0][-1] == "handled"


def test_an_init_that_fails_leaves_no_version_to_invoke(aws: Any, publish: Any, call: Call) -> None:
    """Given code that cannot be loaded, then its version is Failed, and tells why."""
    name, _ = publish("import nowhere\n")
    waiter = aws.get_waiter("published_version_active")
    with pytest.raises(Exception, match="Failed"):
        waiter.wait(FunctionName=name, Qualifier="1", WaiterConfig=SOON)
    version = aws.get_function_configuration(FunctionName=name, Qualifier="1")
    assert (version["State"], version["StateReasonCode"]) == ("Failed", "FunctionError")
    assert "nowhere" in version["StateReason"]


MEETS = """
import os, socket

with socket.create_connection((os.environ["MEET"], int(os.environ["PORT"]))) as meeting:
    meeting.recv(1)


def handler(event, context):
    return os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
"""


TELLS = MEETS.replace("    meeting.recv", "    meeting.sendall(socket.gethostname().encode())\n    meeting.recv")


def test_a_container_that_is_killed_in_its_init(aws: Any, publish: Any, until: Any, rendezvous: Any) -> None:
    """Given a version that initialises, when its container is killed, then it is Failed and does not stay Pending."""
    host, port = rendezvous.address
    name, _ = publish(TELLS, MEET=str(host), PORT=str(port))
    rendezvous.expect(1)
    container = rendezvous.arrived[0].recv(12).decode()
    with closing(docker.from_env()) as engine:
        engine.api.kill(container)

    def state() -> Any:
        return aws.get_function_configuration(FunctionName=name, Qualifier="1")["State"]

    until(lambda: state() != "Pending", "the version is still Pending")
    assert state() == "Failed"


def test_a_container_that_ends_before_its_start(
    make_cloud: Any, make_function: Any, call: Call, runtime_image: Callable[[str], str], until: Any, tmp_path: Path
) -> None:
    """Given containers that end when they are greeted, then a version is Failed, and an invocation is told at once."""
    runtime_image("python3.13")
    shell = tmp_path / "sh"
    shell.write_text("#!/bin/bash\nread -r greeting\n")
    shell.chmod(0o755)
    tmp_path.chmod(0o755)
    aws = make_cloud(LAMBDA_DOCKER_FLAGS=f"-v {shell}:/bin/sh:ro").client()
    name = make_function(aws, Runtime="python3.13", SnapStart={"ApplyOn": "PublishedVersions"})
    for number in range(1, 6):
        aws.publish_version(FunctionName=name, Description=str(number))
        aws.update_function_configuration(FunctionName=name, Description=str(number))
        aws.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=SOON)
    versions = [str(number) for number in range(1, 6)]

    def states() -> list[str]:
        return [aws.get_function_configuration(FunctionName=name, Qualifier=each)["State"] for each in versions]

    until(lambda: "Pending" not in states(), "a version is still Pending")
    assert set(states()) == {"Failed"}
    assert call(aws, name)[1]["FunctionError"] == "Unhandled"


def test_a_cloud_that_is_killed_while_a_version_initialises(
    make_cloud: Any, make_function: Any, call: Call, rendezvous: Any, runtime_image: Callable[[str], str]
) -> None:
    """Given a version that initialises, when the cloud is killed and starts again, then it comes to be Active."""
    runtime_image("python3.13")
    cloud = make_cloud()
    aws, (host, port) = cloud.client(), rendezvous.address
    variables = {"Variables": {"MEET": str(host), "PORT": str(port)}}
    members = {"Runtime": "python3.13", "SnapStart": {"ApplyOn": "PublishedVersions"}, "Environment": variables}
    name = make_function(aws, MEETS, Timeout=20, **members)
    aws.publish_version(FunctionName=name)
    rendezvous.expect(1)
    cloud.kill(master=True, worker=True)
    cloud.start()
    rendezvous.expect(2)
    assert aws.get_function_configuration(FunctionName=name, Qualifier="1")["State"] == "Pending"
    rendezvous.release()
    active(aws, name)
    assert call(aws, name, Qualifier="1")[0] == "snap-start"


def test_a_hook_that_fails_refuses_the_invocation(aws: Any, publish: Any, call: Call) -> None:
    """Given an after-restore hook that raises, then the invoke is refused with SnapStart's own error."""
    name, _ = publish(HOOK="fails")
    active(aws, name)
    with pytest.raises(aws.exceptions.SnapStartException, match="afterRestore"):
        call(aws, name, Qualifier="1")


def test_a_hook_that_hangs_times_out(aws: Any, publish: Any, call: Call) -> None:
    """Given an after-restore hook that does not end, then the invoke is refused when a restore's time is over."""
    name, _ = publish(HOOK="hangs")
    active(aws, name)
    with pytest.raises(aws.exceptions.SnapStartTimeoutException, match="within the timeout limit"):
        call(aws, name, Qualifier="1")
