"""Images: a present one is never pulled, pulls are shared, and the offline image keeps AWS's contract."""

import json
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from platform import machine
from typing import Any

import docker
import pytest
from urllib3 import PoolManager, Retry

from relambda.actors.engine.contract import EngineError, ImageUnavailableError, Mount, SandboxSpec
from relambda.actors.engine.docker_engine import DockerEngine
from relambda.actors.images import recipe
from relambda.actors.images.builder import build, image_candidates, list_images, outdated
from relambda.actors.images.recipe import IMAGES_FOLDER

pytestmark = pytest.mark.docker

NOBODY = "127.0.0.1:9/relambda"
"""A registry that does not answer."""


def silent(line: str) -> None:
    pytest.fail(f"nothing should be pulled: {line}")


@pytest.fixture
def published(
    registry: Any, tiny_image: Callable[[str], str], docker_api: docker.APIClient, request: pytest.FixtureRequest
) -> str:
    """An image that is in the registry and not in the engine."""
    repository = re.sub(r"[^a-z]+", "-", request.node.name).strip("-")
    name = tiny_image(f"{registry.address}/{repository}:1")
    docker_api.push(name)
    docker_api.remove_image(name)
    return name


def test_a_present_image_is_never_pulled(docker_engine: DockerEngine, tiny_image: Callable[[str], str]) -> None:
    """Given a present image whose registry is away, when it is made sure of, then it is given without a pull."""
    present = tiny_image(f"{NOBODY}/present:1")
    assert docker_engine.ensure_image([f"{NOBODY}/absent:1", present], silent) == present


def test_an_absent_image_is_pulled_with_progress(docker_engine: DockerEngine, published: str) -> None:
    """Given an image in a registry, when it is made sure of, then it is pulled, told, and present from then on."""
    heard: list[str] = []
    assert docker_engine.ensure_image([published], heard.append) == published
    assert heard[0] == f"pulling {published}"
    assert heard[-1] == f"pulled {published}"
    assert docker_engine.ensure_image([published], silent) == published


def test_the_first_candidate_that_can_be_pulled_is_taken(docker_engine: DockerEngine, published: str) -> None:
    """Given candidates of which the second is in a registry, when none is present, then the second is pulled."""
    assert docker_engine.ensure_image([f"{NOBODY}/absent:1", published], lambda _: None) == published


def test_calls_at_the_same_time_share_one_pull(docker_engine: DockerEngine, published: str, registry: Any) -> None:
    """Given six callers at once, when all want the same absent image, then the registry serves it once."""
    together = threading.Barrier(6)

    def want(_: int) -> str:
        together.wait(30)
        return docker_engine.ensure_image([published], lambda _: None)

    with ThreadPoolExecutor(6) as threads:
        assert set(threads.map(want, range(6))) == {published}
    repository = published.rpartition(":")[0].partition("/")[2]
    assert registry.manifest_reads(repository) == 1


def test_when_no_registry_answers_the_error_says_what_to_do(docker_engine: DockerEngine) -> None:
    """Given absent images and no registry, when they are made sure of, then names tried and the mend are told."""
    names = [f"{NOBODY}/python:2.7", "relambda/python:2.7"]
    with pytest.raises(ImageUnavailableError) as failure:
        docker_engine.ensure_image(names, lambda _: None)
    for said in [*names, "relambda images build python2.7", "never pulled", "network"]:
        assert said in str(failure.value)


def test_offline_nothing_is_pulled(published: str, tiny_image: Callable[[str], str]) -> None:
    """Given an engine that is to stay offline, when images are made sure of, then only present ones are found."""
    present = tiny_image(f"{NOBODY}/at-hand:1")
    with closing(DockerEngine("offline", offline=True)) as engine:
        assert engine.ensure_image([published, present], silent) == present
        with pytest.raises(ImageUnavailableError, match="not pulled: offline"):
            engine.ensure_image([published], silent)


def test_a_failed_pull_may_be_tried_again(docker_engine: DockerEngine, tiny_image: Callable[[str], str]) -> None:
    """Given a pull that failed, when the image has appeared since, then it is found."""
    name = f"{NOBODY}/later:1"
    with pytest.raises(ImageUnavailableError):
        docker_engine.ensure_image([name], lambda _: None)
    tiny_image(name)
    assert docker_engine.ensure_image([name], silent) == name


def test_candidates_are_the_official_image_then_the_one_built_here() -> None:
    """Given a runtime, when its images are asked for, then AWS's comes first; an unknown runtime is refused."""
    assert image_candidates("python3.11") == ["public.ecr.aws/lambda/python:3.11", "relambda/python:3.11"]
    assert image_candidates("provided.al2023")[0] == "public.ecr.aws/lambda/provided:al2023"
    with pytest.raises(ValueError, match=r"cobol60"):
        image_candidates("cobol60")


def test_the_list_tells_what_is_present(python_image: str) -> None:
    """Given the offline image, when images are listed, then it is present and can be built again."""
    (image,) = list_images(["python3.11"])
    assert image.present == python_image
    assert image.buildable


def test_an_image_of_another_recipe_is_outdated(
    runtime_image: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Given an image of this release's recipe, when a file of the recipe is another, then the image is outdated."""
    image = runtime_image("provided.al2023")
    assert outdated({"provided.al2023": image, "python3.11": "of/somebody:else"}) == []
    shutil.copytree(IMAGES_FOLDER, tmp_path / "images")
    (tmp_path / "images" / "provided" / "another.sh").touch()
    monkeypatch.setattr(recipe, "IMAGES_FOLDER", tmp_path / "images")
    assert outdated({"provided.al2023": image}) == ["provided.al2023"]


def test_a_runtime_without_a_recipe_cannot_be_built() -> None:
    """Given a runtime without a recipe, when it is to be built, then the recipes there are get told."""
    with pytest.raises(EngineError, match=r"no recipe builds an image for 'python2.7'; there are: .*python3.11"):
        build(["python2.7"], silent)


def test_the_image_wants_exactly_one_handler(python_image: str) -> None:
    """Given the image, when it is run without a handler, then it exits with 142, as AWS's do."""
    ended = subprocess.run(["docker", "run", "--rm", python_image], capture_output=True, timeout=60, check=False)
    assert ended.returncode == 142


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AWS's own interface emulator, as AWS SAM's command line brings it."""
    folder = tmp_path_factory.mktemp("emulator")
    command = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--dest", str(folder), "aws-sam-cli"]
    subprocess.run(command, check=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    name = f"samcli/local/rapid/aws-lambda-rie-{'arm64' if machine() in {'aarch64', 'arm64'} else 'x86_64'}"
    program = Path(zipfile.ZipFile(wheel).extract(name, folder))
    program.chmod(0o755)
    return program


def test_without_a_runtime_api_the_emulator_gives_one(
    docker_api: docker.APIClient, python_image: str, emulator: Path, tmp_path: Path
) -> None:
    """Given the image and AWS's emulator, when it is run by itself, then it answers; without, it says why not."""
    tmp_path.chmod(0o755)
    (tmp_path / "app.py").write_text("def handler(event, context):\n    return {'got': event}\n")
    entrypoint = Path(shutil.copy(IMAGES_FOLDER / "lambda-entrypoint.sh", emulator.parent))
    entrypoint.chmod(0o755)
    mounts = {str(tmp_path): "/var/task", str(entrypoint): "/lambda-entrypoint.sh"}
    run = ["docker", "run", "--rm", *(f"-v={here}:{there}:ro" for here, there in mounts.items())]
    ended = subprocess.run([*run, python_image, "app.handler"], capture_output=True, timeout=60, check=False)
    assert ended.returncode == 143
    assert b"mount AWS's interface emulator to /usr/local/bin/aws-lambda-rie" in ended.stderr

    run += ["-d", "-p", "127.0.0.1::8080", f"-v={emulator}:/usr/local/bin/aws-lambda-rie:ro"]
    started = subprocess.run([*run, python_image, "app.handler"], capture_output=True, timeout=60, check=True)
    container = started.stdout.decode().strip()
    try:
        (published,) = docker_api.port(container, 8080)
        url = f"http://127.0.0.1:{published['HostPort']}/2015-03-31/functions/function/invocations"
        retries = Retry(20, backoff_factor=0.05, allowed_methods=None)
        with PoolManager(retries=retries, timeout=30) as http:
            assert http.request("POST", url, body=b'{"n": 1}').json() == {"got": {"n": 1}}
    finally:
        docker_api.remove_container(container, force=True)


def test_a_handler_finds_what_the_official_image_gives(
    docker_engine: DockerEngine, python_image: str, recorder: Any, tmp_path: Path
) -> None:
    """Given a module, when the image's own entrypoint loads it, then path, variables and boto3 are as in AWS."""
    tmp_path.chmod(0o755)
    (tmp_path / "app.py").write_text(
        "import boto3, json, locale, os, sys\n"
        "print(json.dumps({'path': sys.path, 'env': dict(os.environ), 'cwd': os.getcwd(),\n"
        "  'version': sys.version_info[:2], 'locale': locale.setlocale(locale.LC_ALL, '')}), flush=True)\n"
        "os._exit(3)\n"
    )
    spec = SandboxSpec(
        name=f"relambda-test-{tmp_path.name}-{id(tmp_path)}",
        image=python_image,
        handler=("app.handler",),
        environment={"AWS_LAMBDA_RUNTIME_API": "runtime-host:9"},
        memory_mb=256,
        runtime_host="runtime-host",
        mounts=[Mount(tmp_path, "/var/task")],
    )
    sandbox = docker_engine.start_sandbox(spec, recorder)
    sandbox.start_runtime()
    assert recorder.next_word() == ("exit", 3), recorder.output
    sandbox.destroy()
    seen = json.loads(recorder.output)
    layers = ["/opt/python/lib/python3.11/site-packages", "/opt/python"]
    assert seen["path"][:4] == ["/var/task", *layers, "/var/runtime"]
    assert seen["version"] == [3, 11]
    assert seen["cwd"] == seen["env"]["LAMBDA_TASK_ROOT"] == "/var/task"
    assert seen["env"]["_HANDLER"] == "app.handler"
    assert seen["env"]["PATH"] == "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"
    assert seen["locale"] == seen["env"]["LANG"] == "en_US.UTF-8"
