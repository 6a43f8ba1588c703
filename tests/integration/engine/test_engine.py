"""The engine around its sandboxes: start failures, sweeps, a cloud that dies, and engines that do not answer."""

import errno
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
import pytest

from relambda.actors.engine.contract import EngineError, EngineUnavailableError, Mount, Sandbox, SandboxSpec
from relambda.actors.engine.docker_engine import DockerEngine

pytestmark = pytest.mark.docker

Launch = Callable[..., tuple[Sandbox, Any]]
"""The fixture `launch`: a shell script to a started sandbox and its recorder."""

DYING_CLOUD = """
import os, signal, sys
from relambda.actors.engine.contract import SandboxSpec
from relambda.actors.engine.docker_engine import DockerEngine

class Listener:
    def on_output(self, data):
        print(sandbox.id, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

spec = SandboxSpec(
    name=sys.argv[2], image=sys.argv[3], entrypoint=("/bin/bash", "-c"), handler=("sleep 1000 & echo on; sleep 1000",),
    environment={}, memory_mb=128, runtime_host="host",
)
sandbox = DockerEngine(sys.argv[1]).start_sandbox(spec, Listener())
sandbox.start_runtime()
signal.pause()
"""


def containers_of(docker_api: docker.APIClient, cloud_id: str) -> list[str]:
    found = docker_api.containers(all=True, filters={"label": f"relambda={cloud_id}"})
    return [container["Id"] for container in found]


@pytest.fixture
def cloud_id() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"


def spec_of(image: str, mounts: tuple[Mount, ...] = ()) -> SandboxSpec:
    return SandboxSpec(
        name=f"relambda-test-{uuid.uuid4().hex}",
        image=image,
        entrypoint=("/nothing",),
        handler=(),
        environment={},
        memory_mb=128,
        runtime_host="host",
        mounts=mounts,
    )


def test_a_killed_cloud_leaves_no_running_container(
    docker_engine: DockerEngine, python_image: str, docker_api: docker.APIClient, cloud_id: str
) -> None:
    """Given a cloud with a running function, when it is killed without a chance to tidy up, then the container ends."""
    cloud = subprocess.run(
        [sys.executable, "-c", DYING_CLOUD, cloud_id, f"relambda-{cloud_id}", python_image],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert cloud.returncode == -9, cloud.stderr
    assert docker_api.wait(cloud.stdout.decode().strip(), timeout=30)["StatusCode"] == 0
    heir = DockerEngine(cloud_id)
    assert heir.sweep() == 1
    assert containers_of(docker_api, cloud_id) == []
    heir.close()


def test_a_sweep_takes_only_its_own_cloud(launch: Launch, docker_api: docker.APIClient, cloud_id: str) -> None:
    """Given containers of two clouds, when one sweeps, then all of its own are gone and the other's runs on."""
    mine = DockerEngine(cloud_id)
    for _ in range(4):
        launch("sleep 1000", engine=mine)
    other, recorder = launch("sleep 1000")
    assert mine.sweep() == 4
    assert containers_of(docker_api, cloud_id) == []
    assert mine.sweep() == 0
    other.mark("alive")
    assert recorder.next_word()[:2] == ("mark", "alive")
    mine.close()


def test_an_image_without_a_shell_has_its_runtime_first(
    tiny_image: Callable[[str], str], recorder: Any, docker_api: docker.APIClient, cloud_id: str
) -> None:
    """Given an image with no shell, when its runtime, which it has not, is started twice, then that is told twice."""
    engine = DockerEngine(cloud_id)
    image = tiny_image(f"relambda-test/{cloud_id}:1")
    sandbox = engine.start_sandbox(spec_of(image), recorder)
    for _ in range(2):
        sandbox.start()
        assert recorder.next_word() == ("unfit", "/nothing", errno.ENOENT)
        assert recorder.next_word() == ("exit", 127)
        sandbox.kill()
        assert recorder.next_word() == ("killed",)
    sandbox.destroy()
    assert recorder.next_word()[0] == "gone"
    assert containers_of(docker_api, cloud_id) == []
    engine.close()


def test_a_missing_mount_is_told_and_leaves_nothing(
    python_image: str, recorder: Any, docker_api: docker.APIClient, cloud_id: str, tmp_path: Path
) -> None:
    """Given a folder that is not there, when a sandbox should see it, then the error names it and nothing is left."""
    engine = DockerEngine(cloud_id)
    with pytest.raises(EngineError, match="not-there"):
        engine.start_sandbox(spec_of(python_image, (Mount(tmp_path / "not-there", "/opt"),)), recorder)
    assert containers_of(docker_api, cloud_id) == []
    engine.close()


def test_folders_are_looked_for_and_nothing_is_left(
    docker_engine: DockerEngine, python_image: str, docker_api: docker.APIClient, tmp_path: Path
) -> None:
    """Given folders, when the engine is asked for them, then it tells which one it does not see, and keeps nothing."""
    docker_engine.check_mounts(python_image, [Mount(tmp_path, "/var/task")])
    with pytest.raises(EngineError, match=str(tmp_path / "gone")):
        docker_engine.check_mounts(python_image, [Mount(tmp_path, "/opt"), Mount(tmp_path / "gone", "/var/task")])
    assert not docker_api.containers(all=True, filters={"name": "relambda-check-"})


def test_a_name_in_use_is_told_and_its_owner_stays(
    launch: Launch, docker_engine: DockerEngine, python_image: str
) -> None:
    """Given a sandbox, when another is started under its name, then that fails and the first goes on."""
    first, recorder = launch("exit 0")
    spec = spec_of(python_image)
    second = docker_engine.start_sandbox(spec, recorder)
    with pytest.raises(EngineError, match=spec.name):
        docker_engine.start_sandbox(spec, recorder)
    second.mark("alive")
    assert recorder.next_word()[:2] == ("mark", "alive")
    second.destroy()
    first.destroy()


def test_an_engine_says_who_it_is(docker_engine: DockerEngine) -> None:
    """Given an engine, when it is asked, then its version is told."""
    assert "API" in docker_engine.ping()


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("unix:///nowhere/docker.sock", r"unix:///nowhere/docker.sock \(DOCKER_HOST\)"),
        ("tcp://127.0.0.1:9", r"tcp://127.0.0.1:9 \(DOCKER_HOST\)"),
        ("ssh://somebody@somewhere", "forward the engine's socket"),
    ],
)
def test_a_named_engine_is_the_only_one_tried(monkeypatch: pytest.MonkeyPatch, host: str, message: str) -> None:
    """Given DOCKER_HOST with an address where none answers, when an engine is sought, then no other one is taken."""
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(EngineUnavailableError, match=message):
        DockerEngine("nobody")


def test_the_current_docker_context_is_followed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Given a Docker context in use, when an engine is sought, then it is the context's and no other."""
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    host = "unix:///context/docker.sock"
    subprocess.run(["docker", "context", "create", "mine", "--docker", f"host={host}"], check=True, capture_output=True)
    (tmp_path / "config.json").write_text('{"currentContext": "mine"}')
    with pytest.raises(EngineUnavailableError, match=rf"{host} \(context mine\)"):
        DockerEngine("nobody")
