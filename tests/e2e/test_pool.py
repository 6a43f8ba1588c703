"""Cold starts from spare containers: as if the container had been made for the function."""

import io
import json
import subprocess
import zipfile
from collections.abc import Callable, Iterator
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


COUNTS = """
calls = 0


def handler(event, context):
    global calls
    calls += 1
    return calls
"""


@pytest.fixture
def pooled(make_cloud: Any) -> Any:
    """A cloud that keeps two spare containers of each image."""
    return make_cloud(RELAMBDA_POOL_SIZE="2", LAMBDA_DOCKER_FLAGS="-e odd.name=1 -e FLAG=flag")


@pytest.fixture
def shell_less(make_image: Any, tmp_path: Path) -> str:
    """An image that holds one static program, a runtime, and nothing else."""
    source, program = HANDLERS / "bootstrap.c", tmp_path / "runtime"
    subprocess.run(["gcc", "-static", "-O1", "-w", "-D_GNU_SOURCE", str(source), "-o", str(program)], check=True)
    dockerfile = 'FROM scratch\nCOPY runtime /\nENTRYPOINT ["/runtime"]\n'
    return str(make_image(dockerfile, runtime=program.read_bytes()))


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


def test_a_spare_container_becomes_the_functions_own(
    pooled: Any, make_function: Any, call: Callable[..., Any], zipped: Callable[[str], bytes]
) -> None:
    """Given spare containers, when functions start, then each has its code, layer, variables and memory, as ever."""
    aws = pooled.client()
    first = make_function(aws, LOOK)
    assert pooled.comes_to(lambda: len(pooled.spares()) == 2)
    waiting = pooled.spares()
    seen, answer = call(aws, first)
    assert "FunctionError" not in answer, seen
    (used,) = pooled.found_of(first)
    assert used in waiting, "a container was made for the function"
    layer = aws.publish_layer_version(LayerName="lib", Content={"ZipFile": zipped("X = 1")})
    members = {
        "Environment": {"Variables": {"ODD": ODD, "FLAG": "own"}},
        "MemorySize": 512,
        "Layers": [layer["LayerVersionArn"]],
        "Timeout": 30,
    }
    second = make_function(aws, LOOK, **members)
    assert pooled.comes_to(lambda: len(pooled.spares()) == 2 and used not in pooled.spares())
    seen, answer = call(aws, second)
    assert "FunctionError" not in answer, seen
    assert len(pooled.dressed_of(second)) == 1, "a container was made for the function"
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
    assert pooled.comes_to(lambda: len(pooled.spares()) == 2)
    assert call(aws, name, {"k": 1})[0] == {"k": 1}
    assert len(pooled.dressed_of(name)) == 1, "a container was made for the function"
    empty = make_function(aws, Runtime="provided.al2023")
    assert pooled.comes_to(lambda: len(pooled.spares()) == 2)
    failed, _ = call(aws, empty)
    assert failed["errorType"] == "Runtime.InvalidEntrypoint"
    assert "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]" in failed["errorMessage"]
    assert len(pooled.dressed_of(empty)) == 1, "a container was made for the function"


def test_lost_spare_containers_are_replaced_and_none_outlives_the_cloud(
    pooled: Any, make_function: Any, call: Callable[..., Any], engine: Any
) -> None:
    """Given spare containers, when somebody removes them, then functions start all the same, and others come."""
    aws = pooled.client()
    name = make_function(aws)
    assert pooled.comes_to(lambda: len(pooled.spares()) == 2)
    gone = pooled.containers()
    for doomed in gone:
        engine.api.remove_container(doomed, force=True)
    assert call(aws, name, {"k": 1})[0] == {"k": 1}
    assert pooled.comes_to(lambda: len(pooled.spares()) == 2)
    assert not gone & pooled.containers()
    pooled.kill(master=True, worker=True)
    assert pooled.scratch()
    pooled.start()
    assert not pooled.containers(), "a killed cloud's containers were not swept"
    assert not pooled.scratch(), "a killed cloud's folders were not swept"


def test_killed_spare_containers_leave_nothing(
    pooled: Any, make_function: Any, call: Callable[..., Any], engine: Any
) -> None:
    """Given spare containers, when they are killed, then the log says so, they and their folders go, others come."""
    aws = pooled.client()
    name = make_function(aws)
    assert pooled.comes_to(lambda: len(pooled.spares()) == 2)
    killed, folders = pooled.spares(), pooled.scratch()
    for doomed in killed:
        engine.api.kill(doomed)
    assert pooled.comes_to(lambda: len(pooled.spares()) == 2 and not killed & pooled.containers())
    assert all(f"the spare container {each[:12]} ended by itself" in pooled.log() for each in killed)
    assert not folders & pooled.scratch()
    assert call(aws, name, 1)[0] == 1
    assert len(pooled.dressed_of(name)) == 1
    pooled.stop()
    assert not pooled.containers()
    assert not pooled.scratch()


def test_a_hanging_spare_container_is_not_waited_for(
    pooled: Any, make_function: Any, call: Callable[..., Any], engine: Any
) -> None:
    """Given spare containers that hang, when a function starts, then in one of its own; those that hang go."""
    aws = pooled.client()
    name = make_function(aws, Timeout=30)
    assert pooled.comes_to(lambda: len(pooled.spares()) == 2)
    hanging = pooled.spares()
    for each in hanging:
        engine.api.pause(each)
    seen, answer = call(aws, name, {"k": 1})
    assert ("FunctionError" in answer, seen) == (False, {"k": 1})
    assert pooled.comes_to(lambda: "does not answer" in pooled.log())
    assert pooled.dressed_of(name) == set()
    assert pooled.comes_to(lambda: len(hanging & pooled.containers()) == 1), "the one that was tried is gone"
    assert call(aws, make_function(aws, Timeout=30), 2)[0] == 2
    assert pooled.comes_to(lambda: not hanging & pooled.containers())


def test_two_clouds_leave_each_others_containers_alone(
    make_cloud: Any, make_function: Any, call: Callable[..., Any]
) -> None:
    """Given two clouds with spare containers, when one is killed, started again and stopped, then the other works on.

    Its containers are the very same: those that wait, and those that have a function.
    """
    killed, other = make_cloud(RELAMBDA_POOL_SIZE="2"), make_cloud(RELAMBDA_POOL_SIZE="2")
    names = {}
    for cloud in (killed, other):
        names[cloud] = make_function(cloud.client(), COUNTS)
        assert cloud.comes_to(lambda cloud=cloud: len(cloud.spares()) == 2)
        assert call(cloud.client(), names[cloud])[0] == 1
        assert len(cloud.dressed_of(names[cloud])) == 1
        assert cloud.comes_to(lambda cloud=cloud: len(cloud.spares()) == 2)
    before, theirs = killed.containers(), other.containers()
    assert (len(before), len(theirs)) == (3, 3)
    assert not before & theirs
    killed.kill(master=True, worker=True)
    assert call(other.client(), names[other])[0] == 2
    killed.start()
    assert not before & killed.containers()
    assert call(killed.client(), names[killed])[0] == 1
    assert call(other.client(), names[other])[0] == 3
    killed.stop()
    assert call(other.client(), names[other])[0] == 4
    assert other.containers() == theirs


def test_images_without_a_shell_start_cold_and_stop_no_other_spare(
    shell_less: str, make_cloud: Any, make_function: Any, call: Callable[..., Any], python_image: str
) -> None:
    """Given a runtime's image without a shell, then none of it waits, its function runs, and another image's wait."""
    mapping = json.dumps({"python3.13": shell_less})
    cloud = make_cloud(RELAMBDA_POOL_SIZE="1", LAMBDA_RUNTIME_IMAGE_MAPPING=mapping)
    aws = cloud.client()
    bare = make_function(aws, Runtime="python3.13", Timeout=30)
    assert cloud.comes_to(lambda: "no container of it can wait" in cloud.log())
    assert call(aws, bare, {"k": 1})[0] == {"k": 1}
    assert cloud.dressed_of(bare) == set()
    make_function(aws)
    assert cloud.comes_to(lambda: len(cloud.spares(python_image)) == 1)
    assert not cloud.spares(shell_less)


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
    assert cloud.comes_to(lambda: len(cloud.spares()) == len(cloud.containers()) == 4)


def test_no_more_wait_than_are_wanted_in_all(
    make_cloud: Any, make_function: Any, call: Callable[..., Any], runtime_image: Callable[[str], str]
) -> None:
    """Given RELAMBDA_POOL_TOTAL=1, when functions of two runtimes are there, then the last one's alone has a spare."""
    cloud = make_cloud(RELAMBDA_POOL_SIZE="2", RELAMBDA_POOL_TOTAL="1")
    aws = cloud.client()
    make_function(aws)
    assert cloud.comes_to(lambda: len(cloud.spares()) == 1)
    with docker.APIClient(version="auto") as engine:
        last = engine.inspect_image(runtime_image("python3.13"))["Id"]  # type: ignore[no-untyped-call]

        def images() -> list[str]:
            label = f"relambda={(cloud.state / 'cloud-id').read_text().strip()}"
            return [each["ImageID"] for each in engine.containers(filters={"label": label})]

        make_function(aws, Runtime="python3.13")
        assert cloud.comes_to(lambda: images() == [last]), images()
