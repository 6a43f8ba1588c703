"""The cloud as a container: docker/compose.yaml builds and runs it, by the real compose, on a base built offline."""

import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from platform import machine
from typing import Any

import boto3
import docker
import pytest
import yaml
from botocore.config import Config

from relambda.api.cli.http_client import health

pytestmark = [pytest.mark.docker, pytest.mark.timeout(400)]

SOURCE = Path(__file__).parents[2]
CALLS_BACK = """
import boto3, os, urllib.error, urllib.request

def handler(event, context):
    if event.get("endpoint") == "AWS":
        os.environ.pop("AWS_ENDPOINT_URL")
    if "control" in event:
        try:
            return urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + event["control"]).status
        except urllib.error.HTTPError as error:
            return [error.code, error.read().decode()]
    return [one["FunctionName"] for one in boto3.client("lambda").list_functions()["Functions"]]
"""


@dataclass
class Contained:
    """A cloud that compose runs in a project of its own."""

    api: docker.APIClient
    compose: Sequence[str]
    """Compose with its files: what it is to do follows."""
    project: str
    url: str = ""

    def run(self, *arguments: str) -> str:
        """Run compose; what it prints."""
        command = [*self.compose, "-p", self.project, *arguments]
        environ = {**os.environ, "RELAMBDA_PORT": ""}  # a free one
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environ)
        assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def up(self, *options: str) -> None:
        """Bring it up as users do, and wait until it answers where its port is published."""
        self.run("up", "-d", "--no-build", *options)
        self.wait()

    def wait(self) -> None:
        """Until it answers."""
        (published,) = self.api.port(self.id, 4566)
        assert published["HostIp"] == "127.0.0.1"
        self.url = f"http://127.0.0.1:{published['HostPort']}"
        until = time.monotonic() + 90
        while health(self.url) is None:
            assert self.api.inspect_container(self.id)["State"]["Running"], self.said()
            assert time.monotonic() < until, self.said()
            time.sleep(0.1)

    def stop(self) -> int:
        """Stop it, and keep it; its exit code."""
        self.run("stop")
        return int(self.api.inspect_container(self.id)["State"]["ExitCode"])

    def down(self) -> None:
        """End it, its network and its volume."""
        self.run("down", "-v")

    @property
    def id(self) -> str:
        """The id of its container, which compose makes anew now and then."""
        (id_,) = self.run("ps", "-q", "-a" if self.compose[0] == "docker" else "--all").split()
        return id_

    def said(self) -> str:
        """Its log."""
        return self.api.logs(self.id).decode()[-6000:]

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
        found = self.api.containers(all=True, filters={"network": f"{self.project}_default"})
        return [each for each in found if each["Labels"].get("com.docker.compose.project") != self.project]


@pytest.fixture(scope="module")
def docker_api() -> Iterator[docker.APIClient]:
    with docker.APIClient(version="auto", timeout=300) as api:
        yield api


def compose_program() -> list[str]:
    """Docker's own plugin, or the program that was there before it."""
    plugin = ["docker", "compose"]
    if subprocess.run([*plugin, "version"], capture_output=True, timeout=30, check=False).returncode == 0:
        return plugin
    program = shutil.which("docker-compose")
    if program is None:
        pytest.fail("neither `docker compose` nor docker-compose is there: run `apt-get install docker-compose`")
    return [program]


@pytest.fixture(scope="module")
def base_image(
    docker_api: docker.APIClient, runtime_image: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A base image that has Python, pip, and all that pip would fetch."""
    folder = tmp_path_factory.mktemp("base")
    needed = [
        *tomllib.loads((SOURCE / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"],
        "setuptools",
        "pip",
    ]
    platforms = [f"--platform={name}_{machine()}" for name in ("manylinux_2_28", "manylinux2014")]
    options = ["-qq", "--only-binary=:all:", "--python-version=3.11", *platforms, "--dest", str(folder / "wheels")]
    subprocess.run([sys.executable, "-m", "pip", "download", *options, *needed], check=True, timeout=180)
    (folder / "Dockerfile").write_text(
        f"FROM {runtime_image('python3.11')}\n"
        "ENV PATH=/usr/local/bin:/usr/bin:/bin PYTHONPATH=\n"
        "ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels PIP_BREAK_SYSTEM_PACKAGES=1\n"
        "COPY wheels /wheels\n"
        "RUN python3 $(echo /wheels/pip-*.whl)/pip install -q pip\n"
    )
    name = f"relambda-test/base:{uuid.uuid4().hex[:8]}"
    said = list(docker_api.build(path=str(folder), tag=name, rm=True, forcerm=True, decode=True))
    assert "error" not in said[-1], said[-5:]
    yield name
    docker_api.remove_image(name, force=True)


@pytest.fixture(scope="module")
def compose(
    docker_api: docker.APIClient, base_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[str]]:
    """Compose with docker/compose.yaml, the image built by it, and beside it what is the test's: base and name."""
    image = f"relambda-test/cloud:{uuid.uuid4().hex[:8]}"
    service = {"image": image, "build": {"args": {"BASE": base_image}, "network": "none"}}
    override = tmp_path_factory.mktemp("compose") / "override.yaml"
    override.write_text(json.dumps({"version": "3.4", "services": {"relambda": service}}))
    files = ["-f", str(SOURCE / "docker" / "compose.yaml"), "-f", str(override)]
    command = [*compose_program(), *files]
    Contained(docker_api, command, image.replace("/", "").replace(":", "-")).run("build")
    yield command
    docker_api.remove_image(image, force=True)
    docker_api.prune_images({"dangling": True, "label": "relambda.stage"})  # type: ignore[no-untyped-call]


@pytest.fixture
def contained(docker_api: docker.APIClient, compose: list[str]) -> Iterator[Contained]:
    """A cloud that is up; at the end nothing is left of it."""
    cloud = Contained(docker_api, compose, f"relambda-test-{uuid.uuid4().hex[:8]}")
    try:
        cloud.up()
        yield cloud
    finally:
        cloud.down()
    assert not docker_api.volumes(filters={"name": cloud.project})["Volumes"]
    assert not docker_api.networks([f"{cloud.project}_default"])


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
    told = contained.run("exec", "-T", "relambda", "relambda", "status", "--json")
    assert json.loads(told)["state_dir"] == "/var/lib/relambda"
    status, why = call(client, calling, {"control": "/_relambda/snapshot"})[0]
    assert (status, "A function's container" in why) == (403, True)
    assert call(client, calling, {"control": "/_relambda/health"})[0] == 200
    with urllib.request.urlopen(f"{contained.url}/_relambda/snapshot", timeout=60) as pod:
        assert pod.read(1)
    exported = contained.run("exec", "-T", "relambda", "relambda", "snapshot", "export", "/tmp/x.pod")
    assert "wrote /tmp/x.pod" in exported
    assert call(client, calling, {"endpoint": "AWS"})[0] == ["calling", "reading"], contained.said()
    assert len(contained.sandboxes()) >= 2

    assert contained.stop() == 0, contained.said()
    assert contained.sandboxes() == []


def test_restarts_and_a_newer_image_lose_nothing(contained: Contained, make_function: Any, call: Any) -> None:
    """Given a function, when its cloud is restarted, made anew, or taken down and up again, then it is still there."""
    name = make_function(contained.client(), FunctionName="kept")
    assert call(contained.client(), name, 1)[0] == 1
    first = contained.id
    contained.run("restart")
    contained.wait()
    assert (contained.id, call(contained.client(), name, 2)[0]) == (first, 2)

    contained.up("--force-recreate")  # as `up` does when the image is another one
    assert contained.id != first
    assert call(contained.client(), name, 3)[0] == 3

    contained.run("down")
    contained.up()
    assert call(contained.client(), name, 4)[0] == 4


def test_compose_finds_the_cloud_healthy(contained: Contained, until: Any) -> None:
    """Given a cloud that is up, when the engine has asked it, then it is healthy; the port of users is 4566."""

    def health_status() -> str:
        return str(contained.api.inspect_container(contained.id)["State"]["Health"]["Status"])

    until(lambda: health_status() == "healthy", contained.said())
    composed = yaml.safe_load(subprocess.run([*contained.compose, "config"], capture_output=True, check=True).stdout)
    assert composed.get("name", "relambda") == "relambda", (
        "version 2 tells the project; in 1.29 the tests cannot see it"
    )
    (port,) = composed["services"]["relambda"]["ports"]
    assert port in ("127.0.0.1:4566:4566/tcp", "127.0.0.1:4566:4566") or port["published"] == "4566"


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
