"""Parts that many tests share: the Docker engine and a runtime's image. A missing one is a failure, never a skip."""

import base64
import json
import shutil
import socket
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from relambda.actors.engine.docker_engine import DockerEngine
from relambda.actors.images.builder import list_images

settings.register_profile("suite", deadline=None)  # no test is timed: machines are loaded
settings.load_profile("suite")


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[DockerEngine]:
    """An engine with a cloud id of its own; whatever containers tests leave behind are removed at the end."""
    engine = DockerEngine(f"test-{uuid.uuid4().hex[:12]}")
    try:
        yield engine
    finally:
        engine.sweep()
        engine.close()


@pytest.fixture(scope="session")
def runtime_image(docker_engine: DockerEngine) -> Callable[[str], str]:
    """Gives the name of a present image that runs a runtime."""

    def image_of(runtime: str) -> str:
        (image,) = list_images([runtime])
        if image.present is None:
            pytest.fail(f"no image for {runtime} is present: run `relambda images pull {runtime} --or-build`")
        return image.present

    return image_of


@pytest.fixture(scope="session")
def python_image(runtime_image: Callable[[str], str]) -> str:
    """The name of a present image that runs python3.11."""
    return runtime_image("python3.11")


@dataclass(frozen=True)
class Registry:
    """A real registry of images on loopback, the file it logs requests to, and who may use it."""

    address: str
    log: Path
    user: str = ""
    password: str = ""

    def manifest_reads(self, repository: str) -> int:
        """How many times a manifest was fetched whole: once a pull."""
        wanted = f'"GET /v2/{repository}/manifests/'
        return sum(wanted in line for line in self.log.read_text().splitlines())

    def docker_config(self, folder: Path) -> Path:
        """Writes Docker's own configuration with the credentials into a folder, as `docker login` does."""
        folder.mkdir(exist_ok=True)
        auth = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        (folder / "config.json").write_text(json.dumps({"auths": {self.address: {"auth": auth}}}))
        return folder


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that everybody may use."""
    with running_registry(tmp_path_factory.mktemp("registry")) as found:
        yield Registry(*found)


@pytest.fixture(scope="session")
def private_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that wants a name and a password."""
    folder = tmp_path_factory.mktemp("private-registry")
    hashed = "$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a"  # of "secret", by bcrypt
    (folder / "htpasswd").write_text(f"somebody:{hashed}\n")
    with running_registry(folder, f"auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}\n") as found:
        yield Registry(*found, "somebody", "secret")


@contextmanager
def running_registry(folder: Path, more: str = "") -> Iterator[tuple[str, Path]]:
    """Debian's docker-registry; its address and its log."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.fail("the program docker-registry is missing: run `apt-get install docker-registry`")
    address = f"127.0.0.1:{_free_port()}"
    (folder / "config.yml").write_text(
        "version: 0.1\nlog: {accesslog: {disabled: false}, level: info}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}/data}}}}\nhttp: {{addr: '{address}'}}\n{more}"
    )
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen([program, "serve", folder / "config.yml"], stdout=out, stderr=subprocess.STDOUT)
    try:
        _wait_until_listening(address, process, log)
        yield address, log
    finally:
        process.terminate()
        process.wait(10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_listening(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    host, _, port = address.partition(":")
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        break
    pytest.fail(f"docker-registry does not listen on {address}: {log.read_text()}")
