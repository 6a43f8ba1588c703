"""The cloud as a container: built from docker/Dockerfile, run as docker/compose.yaml says, on a base built offline."""

import json
import subprocess
import sys
import time
import tomllib
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from platform import machine
from typing import Any

import boto3
import docker
import pytest
import yaml
from botocore.config import Config
from docker.errors import NotFound

from relambda.api.cli.http_client import health

pytestmark = [pytest.mark.docker, pytest.mark.timeout(400)]

SOURCE = Path(__file__).parents[2]
CALLS_BACK = """
import boto3, os

def handler(event, context):
    if event.get("endpoint") == "AWS":
        os.environ.pop("AWS_ENDPOINT_URL")
    return [one["FunctionName"] for one in boto3.client("lambda").list_functions()["Functions"]]
"""


@dataclass
class Contained:
    """A cloud in a container, and its name space in the engine."""

    api: docker.APIClient
    name: str
    url: str = ""

    def start(self) -> None:
        """Start it, and wait until it answers where its port is published."""
        self.api.start(self.name)
        (published,) = self.api.port(self.name, 4566)
        self.url = f"http://127.0.0.1:{published['HostPort']}"
        until = time.monotonic() + 90
        while health(self.url) is None:
            state = self.api.inspect_container(self.name)["State"]
            assert state["Running"], self.said()
            assert time.monotonic() < until, self.said()
            time.sleep(0.1)

    def stop(self) -> int:
        """Stop it as compose does; its exit code."""
        self.api.stop(self.name, timeout=30)
        return int(self.api.wait(self.name)["StatusCode"])

    def said(self) -> str:
        """Its log."""
        return self.api.logs(self.name).decode()[-6000:]

    def client(self) -> Any:
        """An SDK's client of it."""
        return boto3.client(
            "lambda",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="111111111111",
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=60, proxies={}),
        )

    def sandboxes(self) -> list[dict[str, Any]]:
        """The containers in its network, but for its own."""
        found = self.api.containers(all=True, filters={"network": f"{self.name}_default"})
        return [container for container in found if f"/{self.name}" not in container["Names"]]


@pytest.fixture(scope="module")
def docker_api() -> Iterator[docker.APIClient]:
    with docker.APIClient(version="auto", timeout=300) as api:
        yield api


@pytest.fixture(scope="module")
def cloud_image(
    docker_api: docker.APIClient, runtime_image: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The image of docker/Dockerfile. Its base has Python, pip, and all that pip would fetch."""
    folder = tmp_path_factory.mktemp("base")
    needed = [
        *tomllib.loads((SOURCE / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"],
        "setuptools",
        "pip",
    ]
    platforms = [f"--platform={name}_{machine()}" for name in ("manylinux_2_28", "manylinux2014")]
    download = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-qq",
        "--only-binary=:all:",
        "--python-version=3.11",
        *platforms,
    ]
    subprocess.run([*download, "--dest", str(folder / "wheels"), *needed], check=True, timeout=180)
    (folder / "Dockerfile").write_text(
        f"FROM {runtime_image('python3.11')}\n"
        "ENV PATH=/usr/local/bin:/usr/bin:/bin PYTHONPATH=\n"
        "ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels PIP_BREAK_SYSTEM_PACKAGES=1\n"
        "COPY wheels /wheels\n"
        "RUN python3 $(echo /wheels/pip-*.whl)/pip install -q pip\n"
    )
    tag = uuid.uuid4().hex[:8]
    base = build(docker_api, path=str(folder), tag=f"relambda-test/base:{tag}")
    arguments = {"path": str(SOURCE), "dockerfile": "docker/Dockerfile", "buildargs": {"BASE": base}}
    image = build(docker_api, tag=f"relambda-test/cloud:{tag}", **arguments)
    yield image
    for name in (image, base):
        docker_api.remove_image(name, force=True)


def build(api: docker.APIClient, *, tag: str, **arguments: Any) -> str:
    said = list(api.build(tag=tag, rm=True, forcerm=True, decode=True, network_mode="none", **arguments))
    assert "error" not in said[-1], said[-5:]
    return tag


@pytest.fixture
def contained(docker_api: docker.APIClient, cloud_image: str) -> Iterator[Contained]:
    """What compose makes of compose.yaml, but for a free port in the place of 4566."""
    composed = yaml.safe_load((SOURCE / "docker" / "compose.yaml").read_text("utf-8"))
    service = composed["services"]["relambda"]
    cloud = Contained(docker_api, f"relambda-test-{uuid.uuid4().hex[:8]}")
    mounts = [mount.split(":") for mount in service["volumes"]]
    assert service["ports"] == ["127.0.0.1:4566:4566"]
    docker_api.create_network(f"{cloud.name}_default")
    docker_api.create_container(
        cloud_image,
        name=cloud.name,
        volumes=[target for _, target in mounts],
        ports=[4566],
        host_config=docker_api.create_host_config(
            binds=[
                f"{cloud.name}_{source}:{target}" if source in composed["volumes"] else f"{source}:{target}"
                for source, target in mounts
            ],
            port_bindings={4566: ("127.0.0.1", None)},
            init=service["init"],
        ),
        networking_config={"EndpointsConfig": {f"{cloud.name}_default": {}}},
    )
    try:
        cloud.start()
        yield cloud
    finally:
        cloud.stop()
        for leftover in (*cloud.sandboxes(), {"Id": cloud.name}):
            docker_api.remove_container(leftover["Id"], force=True, v=True)
        docker_api.remove_network(f"{cloud.name}_default")
        with suppress(NotFound):
            docker_api.remove_volume(f"{cloud.name}_state")


def test_a_cloud_in_a_container_runs_functions_beside_itself(
    contained: Contained, make_function: Any, zipped: Any, call: Any
) -> None:
    """Given a cloud in a container, when functions run, then they see their code and reach it; its state stays."""
    client = contained.client()
    layer = client.publish_layer_version(LayerName="extra", Content={"ZipFile": zipped("x = 1")})["LayerVersionArn"]
    source = "import os\ndef handler(event, context):\n    return [os.listdir('/opt'), event]\n"
    reading = make_function(client, source, FunctionName="reading", Layers=[layer])
    assert call(client, reading, {"n": 1})[0] == [["index.py"], {"n": 1}], contained.said()

    calling = make_function(client, CALLS_BACK, FunctionName="calling", MemorySize=512, Timeout=30)
    assert call(client, calling, {})[0] == ["calling", "reading"]
    assert call(client, calling, {"endpoint": "AWS"})[0] == ["calling", "reading"], contained.said()
    assert len(contained.sandboxes()) >= 2

    assert contained.stop() == 0, contained.said()
    assert contained.sandboxes() == []
    contained.start()
    client = contained.client()
    assert call(client, reading, {"n": 2})[0] == [["index.py"], {"n": 2}]
    status = contained.api.exec_create(contained.name, ["relambda", "status", "--json"])["Id"]
    assert json.loads(contained.api.exec_start(status))["state_dir"] == "/var/lib/relambda"


def test_a_folder_that_the_engine_does_not_see_is_refused(contained: Contained, until: Any) -> None:
    """Given a cloud in a container, when code is a folder that only the host, or only it has, then it says so."""
    client = contained.client()

    def create(folder: str) -> None:
        code = {"S3Bucket": "hot-reload", "S3Key": folder}
        role = "arn:aws:iam::111111111111:role/test"
        client.create_function(FunctionName="hot", Runtime="python3.11", Role=role, Handler="index.handler", Code=code)

    with pytest.raises(
        client.exceptions.InvalidParameterValueException, match="mount it into a cloud that is a contai"
    ):
        create("/tmp/only-of-the-host")
    create("/tmp")
    until(lambda: client.get_function_configuration(FunctionName="hot")["State"] == "Failed", contained.said())
    reason = client.get_function_configuration(FunctionName="hot")["StateReason"]
    assert reason.startswith("The engine does not see /tmp: "), reason
