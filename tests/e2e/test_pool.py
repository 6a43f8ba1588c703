"""Cold starts from spare containers: as if the container had been made for the function."""

import io
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker
import pytest

pytestmark = pytest.mark.docker

HANDLERS = Path(__file__).with_name("handlers")

LOOK = r"""
import getpass, os, pathlib, sys

sys.path.insert(0, "/opt")


def handler(event, context):
    def written(path):
        try:
            pathlib.Path(path, "probe").write_text("x")
        except OSError as error:
            return error.strerror
        return "written"

    limits = [pathlib.Path("/sys/fs/cgroup", name) for name in ("memory/memory.limit_in_bytes", "memory.max")]
    return {
        "variable": os.environ.get("ODD"),
        "flag": os.environ.get("FLAG"),
        "name": os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        "handler": os.environ["_HANDLER"],
        "user": getpass.getuser(),
        "written": [written("/var/task"), written("/opt"), written("/tmp")],
        "layer": sorted(os.listdir("/opt")),
        "memory": next(int(path.read_text()) for path in limits if path.exists()) // 2**20,
        "visible": sorted(name for name in os.environ if "relambda" in name.lower() or name == "dress"),
    }
"""
ODD = 'it\'s "odd" \\n %s $HOME `id`\nsecond line\\ ünï'


@pytest.fixture
def pooled(make_cloud: Any) -> Any:
    """A cloud that keeps two spare containers of each image."""
    return make_cloud(RELAMBDA_POOL_SIZE="2", LAMBDA_DOCKER_FLAGS="-e odd.name=1 -e FLAG=flag")


def spares(cloud: Any) -> int:
    """How many containers wait, or waited once and work now."""
    client = docker.from_env()
    try:
        label = f"relambda={(cloud.state / 'cloud-id').read_text().strip()}"
        return len(client.api.containers(filters={"label": [label, "relambda.spare"]}))
    finally:
        client.close()


def test_a_spare_container_becomes_the_functions_own(
    pooled: Any, make_function: Any, call: Callable[..., Any], zipped: Callable[[str], bytes]
) -> None:
    """Given spare containers, when functions start, then each has its code, layer, variables and memory, as ever."""
    aws = pooled.client()
    first = make_function(aws, LOOK)
    assert pooled.comes_to(lambda: spares(pooled) == 2)
    seen, answer = call(aws, first)
    assert "FunctionError" not in answer, seen
    assert pooled.containers_of(first) == set(), "a container was made for the function"
    layer = aws.publish_layer_version(LayerName="lib", Content={"ZipFile": zipped("X = 1")})
    members = {
        "Environment": {"Variables": {"ODD": ODD, "FLAG": "own"}},
        "MemorySize": 512,
        "Layers": [layer["LayerVersionArn"]],
        "Timeout": 30,
    }
    second = make_function(aws, LOOK, **members)
    assert pooled.comes_to(lambda: spares(pooled) == 3), "one is used, two wait"
    seen, answer = call(aws, second)
    assert "FunctionError" not in answer, seen
    assert pooled.containers_of(second) == set(), "a container was made for the function"
    assert seen == {
        "variable": ODD,
        "flag": "flag",
        "name": second,
        "handler": "index.handler",
        "user": "sbx_user1051",
        "written": ["Read-only file system", "Read-only file system", "written"],
        "layer": ["index.py"],
        "memory": 512,
        "visible": [],
    }


def test_a_spare_container_runs_a_bootstrap_or_says_that_there_is_none(
    pooled: Any, make_function: Any, call: Callable[..., Any], runtime_image: Callable[[str], str]
) -> None:
    """Given spare containers, when OS-only functions start, then each has its bootstrap, and one without is told so."""
    runtime_image("provided.al2023")
    aws = pooled.client()
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, (HANDLERS / "shell_bootstrap").read_bytes())
    name = make_function(aws, Runtime="provided.al2023", Code={"ZipFile": body.getvalue()}, Timeout=20)
    assert pooled.comes_to(lambda: spares(pooled) == 2)
    assert call(aws, name, {"k": 1})[0] == {"k": 1}
    empty = make_function(aws, Runtime="provided.al2023")
    assert pooled.comes_to(lambda: spares(pooled) == 3), "one is used, two wait"
    failed, _ = call(aws, empty)
    assert failed["errorType"] == "Runtime.InvalidEntrypoint"
    assert "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]" in failed["errorMessage"]
    assert pooled.containers_of(name) == pooled.containers_of(empty) == set(), "a container was made for a function"


def test_lost_spare_containers_are_replaced_and_none_outlives_the_cloud(
    pooled: Any, make_function: Any, call: Callable[..., Any]
) -> None:
    """Given spare containers, when somebody removes them, then functions start all the same, and others come."""
    aws = pooled.client()
    name = make_function(aws)
    assert pooled.comes_to(lambda: spares(pooled) == 2)
    client = docker.from_env()
    for doomed in pooled.containers():
        client.api.remove_container(doomed, force=True)
    client.close()
    assert call(aws, name, {"k": 1})[0] == {"k": 1}
    assert pooled.comes_to(lambda: spares(pooled) >= 2)
    pooled.kill(master=True, worker=True)
    pooled.start()
    assert spares(pooled) == 0, "a killed cloud's containers were not swept"


MEETS = (
    "import socket\n\n\ndef handler(event, context):\n"
    "    with socket.create_connection(event, timeout=30) as meeting:\n"
    "        meeting.settimeout(30)\n"
    "        meeting.recv(1)\n"
)


def test_a_burst_of_starts_is_awaited_again(
    make_cloud: Any, make_function: Any, call: Callable[..., Any], rendezvous: Any
) -> None:
    """Given four first invokes at once, when they are over, then four containers wait for the next ones."""
    cloud = make_cloud(RELAMBDA_POOL_SIZE="1", RELAMBDA_POOL_TOTAL="4")
    aws = cloud.client()
    name = make_function(aws, MEETS, Timeout=60)
    with ThreadPoolExecutor(4) as callers:
        invokes = [callers.submit(call, aws, name, rendezvous.address) for _ in range(4)]
        rendezvous.expect(4)
        rendezvous.release()
        assert [invoke.result(60)[0] for invoke in invokes] == [None] * 4
    aws.update_function_configuration(FunctionName=name, Description="the environments of what it was end")
    assert cloud.comes_to(lambda: spares(cloud) == len(cloud.containers()) == 4)


def test_no_more_wait_than_are_wanted_in_all(
    make_cloud: Any, make_function: Any, call: Callable[..., Any], runtime_image: Callable[[str], str]
) -> None:
    """Given RELAMBDA_POOL_TOTAL=1, when functions of two runtimes are there, then the last one's alone has a spare."""
    cloud = make_cloud(RELAMBDA_POOL_SIZE="2", RELAMBDA_POOL_TOTAL="1")
    aws = cloud.client()
    make_function(aws)
    assert cloud.comes_to(lambda: spares(cloud) == 1)
    with docker.APIClient(version="auto") as engine:
        last = engine.inspect_image(runtime_image("python3.13"))["Id"]  # type: ignore[no-untyped-call]

        def images() -> list[str]:
            label = f"relambda={(cloud.state / 'cloud-id').read_text().strip()}"
            return [each["ImageID"] for each in engine.containers(filters={"label": label})]

        make_function(aws, Runtime="python3.13")
        assert cloud.comes_to(lambda: images() == [last]), images()
