"""Clouds as users run them: the command line starts them, SDKs talk to them, signals end them."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import boto3
import docker
import pytest
from botocore.config import Config

from relambda.actors.engine.docker_engine import DockerEngine
from relambda.api.cli.daemon import gone
from relambda.api.cli.http_client import health
from relambda.api.cloud_file import CloudFile, Process

ACCOUNT = "111111111111"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/test"


class Harness:
    """One cloud with a state directory of its own, on a free port that it keeps over restarts.

    DNS_ADDRESS is 0 unless it is given: only one cloud of a network can have its DNS port, and many run at a time. So
    is RELAMBDA_POOL_SIZE: most of these clouds live for one start.
    """

    def __init__(self, state: Path, environment: dict[str, str]) -> None:
        self.state, self.port = state, 0
        self.environment = {**os.environ, "RELAMBDA_POOL_SIZE": "0", "DNS_ADDRESS": "0", **environment}
        self.url = ""
        self.killed: list[Process] = []

    def run(self, *arguments: str, check: bool = True) -> dict[str, Any]:
        """Run `relambda ARGUMENTS --json` on this cloud."""
        command = [sys.executable, "-P", "-m", "relambda.api.cli", *arguments, "--state-dir", str(self.state), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=self.environment, check=False)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}{self.log()}")
        return dict(json.loads(done.stdout)) if done.stdout.strip() else {}

    def start(self) -> None:
        """Start it in the background and wait until it is ready."""
        self.url = self.run("start", "-d", "--host", "127.0.0.1", "--port", str(self.port))["url"]
        self.port = int(self.url.rsplit(":", 1)[1])

    def stop(self) -> None:
        """Stop it as a user does."""
        self.run("stop")

    def kill(self, *, master: bool, worker: bool) -> None:
        """SIGKILL the processes that are named, and wait until they are gone."""
        about = self.about()
        doomed = [*([about.master] if master else []), *([about.worker] if worker else [])]
        for process in doomed:
            os.kill(process.pid, signal.SIGKILL)
        assert all(gone(process, 20) for process in doomed)
        self.killed = doomed

    def revive(self, killed: str) -> None:
        """Have it back: a killed worker's master starts another by itself; else it is started as a user does."""
        if killed != "worker":
            self.start()
            return
        until = time.monotonic() + 30
        while self.about().worker in self.killed or health(self.url) is None:
            assert time.monotonic() < until, f"no new worker after 30 s{self.log()}"
            time.sleep(0.02)

    def about(self) -> CloudFile:
        """What the cloud says of its processes."""
        found = CloudFile.read(self.state)
        assert found is not None, "the cloud left no cloud.json"
        return found

    def log(self) -> str:
        """The end of its log."""
        logs = sorted(self.state.glob("*.log"))
        return "\n".join(path.read_text()[-6000:] for path in logs)

    def client(self, account: str = ACCOUNT, region: str = "us-east-1", service: str = "lambda") -> Any:
        """An SDK's client of it; it does not retry, so that tests see every answer."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=60, connect_timeout=5, proxies={}),
        )

    def containers(self) -> set[str]:
        """Ids of the containers that carry its label."""
        return {container["Id"] for container in self._labelled()}

    def containers_of(self, function: str) -> set[str]:
        """Ids of a function's containers, by name; one that was a spare gets its name in a quiet moment."""
        return {each["Id"] for each in self._named(f"relambda-{function[:40]}-")}

    def found_of(self, function: str) -> set[str]:
        """Ids of a function's containers, as soon as there is one; none if there is none for long."""
        self.comes_to(lambda: bool(self.containers_of(function)))
        return self.containers_of(function)

    def dressed_of(self, function: str) -> set[str]:
        """Ids of those of a function's containers that were spare ones before, as soon as it has any."""
        self.found_of(function)
        named = self._named(f"relambda-{function[:40]}-")
        return {each["Id"] for each in named if "relambda.spare" in each["Labels"]}

    def spares(self, image: str = "") -> set[str]:
        """Ids of the spare containers that run, of one image or of all, and of those just taken.

        The last of them may only be about to wait: they are started one after the other.
        """
        image_id = _image_id(image) if image else ""
        running = [each for each in self._named("relambda-spare-") if each["State"] == "running"]
        return {each["Id"] for each in running if image_id in each["Labels"]["relambda.spare"]}

    def scratch(self) -> set[str]:
        """Names of the folders that spare containers have, and of what is being unpacked."""
        return {path.name for path in (self.state / "packages").glob(".unfinished-*")}

    def trees(self) -> set[str]:
        """Names of what is unpacked."""
        return {path.name for path in (self.state / "packages").iterdir() if len(path.name) == 64}

    def _named(self, prefix: str) -> list[dict[str, Any]]:
        return [each for each in self._labelled() if (each["Names"] or [""])[0].startswith(f"/{prefix}")]

    def _labelled(self) -> list[dict[str, Any]]:
        cloud = (self.state / "cloud-id").read_text().strip()
        engine = docker.from_env()
        try:
            return list(engine.api.containers(all=True, filters={"label": f"relambda={cloud}"}))
        finally:
            engine.close()

    def comes_to(self, holds: Callable[[], bool], seconds: float = 20.0) -> bool:
        """Look again and again, a round trip each time, until it is so; whether it came to be."""
        until = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True


def _image_id(image: str) -> str:
    engine = docker.from_env()
    try:
        return str(engine.images.get(image).id)
    finally:
        engine.close()


class MakeCloud(Protocol):
    """Starts a cloud; keyword arguments are its options."""

    def __call__(self, **environment: str) -> Harness: ...


@pytest.fixture
def make_cloud(tmp_path: Path, python_image: str) -> Iterator[MakeCloud]:
    """Starts clouds that are stopped, and have left no container, when the test ends."""
    clouds: list[Harness] = []

    def make(**environment: str) -> Harness:
        cloud = Harness(tmp_path / f"state-{len(clouds)}", environment)
        cloud.start()
        clouds.append(cloud)
        return cloud

    yield make
    for cloud in clouds:
        cloud.run("stop", check=False)
    for cloud in clouds:
        assert not cloud.containers(), "a stopped cloud left containers"


@pytest.fixture(scope="session")
def shared_cloud(tmp_path_factory: pytest.TempPathFactory, python_image: str) -> Iterator[Harness]:
    """A cloud for all tests that neither stop nor kill it; functions start in spare containers and in their own.

    One of each image waits, so that the second of two starts in a row finds none.
    """
    cloud = Harness(tmp_path_factory.mktemp("shared") / "state", {"RELAMBDA_POOL_SIZE": "1"})
    cloud.start()
    yield cloud
    cloud.stop()
    assert not cloud.containers(), "a stopped cloud left containers"


@pytest.fixture
def cloud(make_cloud: MakeCloud) -> Harness:
    """A cloud with default options."""
    return make_cloud()


@pytest.fixture(scope="session")
def zipped() -> Callable[[str], bytes]:
    """Makes a package of one Python module, `index`."""

    def make(source: str) -> bytes:
        body = io.BytesIO()
        with zipfile.ZipFile(body, "w") as archive:
            archive.writestr("index.py", source)
        return body.getvalue()

    return make


ECHO = "def handler(event, context):\n    return event\n"


class MakeFunction(Protocol):
    """Creates a function, waits until it is Active, and returns its name."""

    def __call__(self, client: Any, source: str = ECHO, **members: Any) -> str: ...


@pytest.fixture(scope="session")
def make_function(zipped: Callable[[str], bytes]) -> MakeFunction:
    """Creates functions through the SDK, with its own waiter."""

    def make(client: Any, source: str = ECHO, **members: Any) -> str:
        name = members.pop("FunctionName", f"f-{uuid.uuid4().hex[:12]}")
        defaults = {
            "Runtime": "python3.11",
            "Role": ROLE,
            "Handler": "index.handler",
            "Code": {"ZipFile": zipped(source)},
        }
        client.create_function(FunctionName=name, **{**defaults, **members})
        client.get_waiter("function_active_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 1200}
        )
        return str(name)

    return make


class MakeImage(Protocol):
    """Builds an image of a Dockerfile and files, and gives its name."""

    def __call__(self, dockerfile: str, *, mode: int = 0o755, **files: bytes) -> str: ...


@pytest.fixture
def make_image() -> Iterator[MakeImage]:
    """Builds images in the engine alone, and removes them at the end."""
    client, names = docker.from_env(), list[str]()

    def make(dockerfile: str, *, mode: int = 0o755, **files: bytes) -> str:
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as archive:
            for name, content in {"Dockerfile": dockerfile.encode(), **files}.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(content), mode
                archive.addfile(entry, io.BytesIO(content))
        names.append(f"relambda-test/{uuid.uuid4().hex[:12]}:1")
        context.seek(0)
        client.images.build(fileobj=context, custom_context=True, tag=names[-1], rm=True)
        return names[-1]

    yield make
    for name in names:
        client.images.remove(name, force=True)
    client.close()


class MakeImageFunction(Protocol):
    """Creates a function of an image, waits until it is Active, and returns its name."""

    def __call__(self, client: Any, image: str, **members: Any) -> str: ...


@pytest.fixture(scope="session")
def make_image_function() -> MakeImageFunction:
    """Creates functions of images through the SDK, with its own waiter."""

    def make(client: Any, image: str, **members: Any) -> str:
        name = f"f-{uuid.uuid4().hex[:12]}"
        client.create_function(FunctionName=name, PackageType="Image", Code={"ImageUri": image}, Role=ROLE, **members)
        client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 600})
        return name

    return make


class Call(Protocol):
    """Invokes a function; the payload read from JSON, and the whole answer."""

    def __call__(self, client: Any, name: str, event: Any = None, **members: Any) -> tuple[Any, dict[str, Any]]: ...


@pytest.fixture(scope="session")
def call() -> Call:
    """Invokes through the SDK."""

    def invoke(client: Any, name: str, event: Any = None, **members: Any) -> tuple[Any, dict[str, Any]]:
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event), **members)
        return json.loads(answer["Payload"].read() or b"null"), answer

    return invoke


class Rendezvous:
    """Where handlers meet the test: each that runs calls in and waits until it is let go on; no sleep, no luck."""

    def __init__(self, host: str) -> None:
        self._listener = socket.create_server((host, 0))
        self._listener.settimeout(30)
        self.address = self._listener.getsockname()[:2]
        self.arrived: list[socket.socket] = []

    def expect(self, count: int) -> None:
        """Wait until so many handlers run at this moment."""
        while len(self.arrived) < count:
            self.arrived.append(self._listener.accept()[0])

    def release(self) -> None:
        """Let those that have come go on."""
        while self.arrived:
            self.arrived.pop().close()

    def close(self) -> None:
        """Let everybody go on."""
        self.release()
        self._listener.close()


@pytest.fixture
def rendezvous(docker_engine: DockerEngine) -> Iterator[Rendezvous]:
    """A listener that containers reach."""
    meeting = Rendezvous(docker_engine.runtime_api_host())
    yield meeting
    meeting.close()


@pytest.fixture(scope="session")
def until() -> Callable[[Callable[[], object], str], None]:
    """Looks again, for at most a minute, until something is so."""

    def look(holds: Callable[[], object], failure: str) -> None:
        end = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < end, f"after 60 s: {failure}"
            time.sleep(0.02)

    return look


@pytest.fixture
def log_of(shared_cloud: Any) -> Callable[[str], list[str]]:
    """Reads the lines of a function's log."""

    def read(name: str) -> list[str]:
        pages = shared_cloud.client(service="logs").get_paginator("filter_log_events")
        found = pages.paginate(logGroupName=f"/aws/lambda/{name}")
        return [event["message"] for page in found for event in page["events"]]

    return read
