"""What tests of the Docker engine share: sandboxes of small shell scripts, recorders, a registry on loopback."""

import queue
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import docker
import pytest

from relambda.actors.engine.contract import Mount, Sandbox, SandboxExit, SandboxSpec
from relambda.actors.engine.docker_engine import DockerEngine

_WAIT_SECONDS = 30


@dataclass
class Recorder:
    """A listener that keeps what it hears, in order."""

    heard: "queue.Queue[tuple[Any, ...]]" = field(default_factory=queue.Queue)
    output: bytes = b""
    extension_output: bytes = b""

    def on_output(self, data: bytes) -> None:
        self.heard.put(("output", data))

    def on_extension_output(self, data: bytes) -> None:
        self.extension_output += data

    def on_extension_found(self, name: str) -> None:
        self.heard.put(("extension", name))

    def on_extensions_told(self) -> None:
        self.heard.put(("extensions",))

    def on_extension_exit(self, name: str, code: int) -> None:
        self.heard.put(("extension exit", name, code))

    def on_runtime_unfit(self, program: str, code: int) -> None:
        self.heard.put(("unfit", program, code))

    def on_runtime_exit(self, code: int) -> None:
        self.heard.put(("exit", code))

    def on_mark(self, mark: str, memory_peak_bytes: int) -> None:
        self.heard.put(("mark", mark, memory_peak_bytes))

    def on_killed(self) -> None:
        self.heard.put(("killed",))

    def on_exit(self, exit_: SandboxExit) -> None:
        self.heard.put(("gone", exit_))

    def next_word(self) -> tuple[Any, ...]:
        """The next thing heard that is not output; output before it is gathered in `output`."""
        while True:
            word = self.heard.get(timeout=_WAIT_SECONDS)
            if word[0] != "output":
                return word
            self.output += word[1]

    def until_output(self, wanted: bytes) -> None:
        """Wait until the output so far holds these bytes."""
        while wanted not in self.output:
            word = self.heard.get(timeout=_WAIT_SECONDS)
            assert word[0] == "output", word
            self.output += word[1]


class Launch(Protocol):
    """Starts a sandbox whose runtime is a shell script, or a command."""

    def __call__(
        self,
        script: str = "",
        *,
        command: tuple[str, ...] | None = None,
        engine: DockerEngine | None = None,
        memory_mb: int = 128,
        mounts: Sequence[Mount] = (),
        environment: Mapping[str, str] | None = None,
        runtime_host: str = "runtime-host",
    ) -> tuple[Sandbox, Recorder]: ...


@pytest.fixture
def launch(docker_engine: DockerEngine, python_image: str) -> Iterator[Launch]:
    """Started sandboxes, destroyed at the end."""
    started: list[Sandbox] = []

    def start(
        script: str = "",
        *,
        command: tuple[str, ...] | None = None,
        engine: DockerEngine | None = None,
        memory_mb: int = 128,
        mounts: Sequence[Mount] = (),
        environment: Mapping[str, str] | None = None,
        runtime_host: str = "runtime-host",
    ) -> tuple[Sandbox, Recorder]:
        recorder = Recorder()
        spec = SandboxSpec(
            name=f"relambda-test-{uuid.uuid4().hex}",
            image=python_image,
            entrypoint=("/bin/bash", "-c", script) if command is None else command,
            handler=(),
            environment=environment or {},
            memory_mb=memory_mb,
            runtime_host=runtime_host,
            mounts=mounts,
        )
        sandbox = (engine or docker_engine).start_sandbox(spec, recorder)
        started.append(sandbox)
        return sandbox, recorder

    yield start
    for sandbox in started:
        sandbox.destroy()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def docker_api() -> Iterator[docker.APIClient]:
    """A client of the test's own, to look at the engine from outside."""
    with docker.APIClient(version="auto", timeout=30) as client:
        yield client


@pytest.fixture
def tiny_image(docker_api: docker.APIClient, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Makes images of one small file under given names, removed at the end."""
    names: list[str] = []
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "marker").write_text(uuid.uuid4().hex)
    subprocess.run(["tar", "-C", tmp_path / "content", "-cf", tmp_path / "tiny.tar", "."], check=True)

    def make(name: str) -> str:
        repository, _, tag = name.rpartition(":")
        docker_api.import_image(str(tmp_path / "tiny.tar"), repository=repository, tag=tag)
        names.append(name)
        return name

    yield make
    for name in names:
        try:
            docker_api.remove_image(name, force=True)
        except docker.errors.ImageNotFound:
            continue
