"""Functions for another architecture than this machine: refused, or emulated; and one image name for both."""

import fcntl
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import docker
import pytest
import requests

from relambda.actors.images.recipe import IMAGES_FOLDER

pytestmark = pytest.mark.docker

OWN, OTHER = ("arm64", "x86_64") if platform.machine() in {"aarch64", "arm64"} else ("x86_64", "arm64")
DEBIAN = {"x86_64": "amd64", "arm64": "arm64"}
MACHINE = {"x86_64": "x86_64", "arm64": "aarch64"}
ROLE = "arn:aws:iam::111111111111:role/test"
BINFMT = Path("/proc/sys/fs/binfmt_misc")
NOBODY = {"username": "nobody", "password": "nothing"}
INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
LOOK = "import platform\n\n\ndef handler(event, context):\n    return [platform.machine(), event]\n"


@pytest.fixture
def machine() -> Iterator[None]:
    """The whole machine's emulators are this test's, of all that run side by side."""
    with Path(tempfile.gettempdir(), "relambda-test-emulators").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (BINFMT / "register").exists():
            subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT], check=True)
        yield


@pytest.fixture
def no_emulator(machine: None) -> None:
    """There is none."""
    if list(BINFMT.glob("qemu-*")):
        pytest.fail("this machine emulates others: run the suite where none is installed")


@pytest.fixture
def emulator(no_emulator: None) -> Iterator[None]:
    """Debian's qemu-user-static runs the other architecture's programs, in containers too, while the test runs."""
    name = f"qemu-{MACHINE[OTHER]}"
    (BINFMT / "register").write_bytes(Path(f"/usr/lib/binfmt.d/{name}.conf").read_bytes())
    yield
    (BINFMT / name).write_text("-1")


def state(aws: Any, name: str) -> Any:
    """A function's state, and why."""
    configuration = aws.get_function_configuration(FunctionName=name)
    return configuration["State"], configuration.get("StateReason", "")


def test_a_function_that_the_machine_cannot_run_says_so(
    shared_cloud: Any, zipped: Callable[[str], bytes], no_emulator: None
) -> None:
    """Given no emulator, when a function is for another architecture, then it is Failed, with what to do about it."""
    aws = shared_cloud.client()
    name = f"f-{uuid.uuid4().hex[:12]}"
    common = {"Role": ROLE, "Handler": "index.handler", "Runtime": "python3.11", "Architectures": [OTHER]}
    aws.create_function(FunctionName=name, Code={"ZipFile": zipped(LOOK)}, **common)
    assert shared_cloud.comes_to(lambda: state(aws, name)[0] == "Failed")
    assert state(aws, name)[1] == (
        f"The function is for {OTHER}, and this machine runs {OWN} and has no emulator of {OTHER}: install one "
        f"(`docker run --privileged --rm tonistiigi/binfmt --install {DEBIAN[OTHER]}`), or set "
        f"LAMBDA_IGNORE_ARCHITECTURE=1 to run functions of both on {OWN}"
    )


def test_architectures_may_be_ignored(make_cloud: Any, make_function: Any, call: Callable[..., Any]) -> None:
    """Given LAMBDA_IGNORE_ARCHITECTURE, when a function is for another one, then it runs, and is said to be for it."""
    aws = make_cloud(LAMBDA_IGNORE_ARCHITECTURE="1").client()
    name = make_function(aws, LOOK, Architectures=[OTHER])
    assert call(aws, name, {"k": 1})[0] == [platform.machine(), {"k": 1}]
    assert aws.get_function_configuration(FunctionName=name)["Architectures"] == [OTHER]


def python_of(architecture: str, folder: Path) -> Path:
    """The context of an image with Debian's Python and the official client: unpacked packages, nothing is run."""
    files = folder / "files"
    for name in ("var/task", "var/lang/bin", "opt"):
        (files / name).mkdir(parents=True)
    (files / "var/lang/bin/python3").symlink_to("/usr/bin/python3.11")
    shutil.copy(IMAGES_FOLDER / "lambda-entrypoint.sh", files)
    shutil.copytree(IMAGES_FOLDER / "python", folder, dirs_exist_ok=True)
    fetched = {
        "CONTEXT": str(folder),
        "HOST_PYTHON": sys.executable,
        "LANGUAGE_VERSION": "3.11",
        "CLIENT": "awslambdaric==4.2.2",
        "MACHINE": MACHINE[architecture],
    }
    subprocess.run(["sh", folder / "fetch.sh"], env={**os.environ, **fetched}, check=True)
    shutil.move(folder / "runtime", files / "var/runtime")
    shutil.copy(IMAGES_FOLDER / "python" / "bootstrap", files / "var/runtime")
    shutil.copy(IMAGES_FOLDER / "exec-wrapper.sh", files / "var/runtime")
    for program in (files / "lambda-entrypoint.sh", files / "var/runtime/bootstrap"):
        program.chmod(0o755)
    packages = "--include=base-files,dash,coreutils,libstdc++6,python3.11"
    unpack = ["mmdebstrap", "--quiet", "--variant=extract", f"--architectures={DEBIAN[architecture]}", packages]
    subprocess.run([*unpack, "bookworm", folder / "debian.tar"], check=True)
    (folder / "Dockerfile").write_text(
        "FROM scratch\nADD debian.tar /\nCOPY files /\nWORKDIR /var/task\nENV PYTHONPATH=/var/runtime\n"
        'ENTRYPOINT ["/lambda-entrypoint.sh"]\n'
    )
    return folder


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_emulated_function_runs(
    make_cloud: Any, make_function: Any, call: Callable[..., Any], emulator: None, tmp_path: Path
) -> None:
    """Given an emulator and an image of the other architecture, when a function is for it, then its Python runs it."""
    image = f"relambda-test/python-{uuid.uuid4().hex[:12]}:1"
    with docker.APIClient(version="auto", timeout=300) as engine, ExitStack() as after:
        context = python_of(OTHER, tmp_path / "image")
        said = list(engine.build(path=str(context), tag=image, platform=f"linux/{DEBIAN[OTHER]}", rm=True, decode=True))
        assert "error" not in said[-1], said
        after.callback(engine.remove_image, image, force=True)
        cloud = make_cloud(LAMBDA_RUNTIME_IMAGE_MAPPING=json.dumps({"python3.11": image}))
        after.callback(cloud.stop)
        aws = cloud.client()
        name = make_function(aws, LOOK, Architectures=[OTHER], Timeout=120, MemorySize=1024)
        seen, answer = call(aws, name, {"k": 1})
        assert "FunctionError" not in answer, seen
        assert seen == [MACHINE[OTHER], {"k": 1}]
        assert call(aws, name, {"k": 2})[0] == [MACHINE[OTHER], {"k": 2}]


class Index:
    """An image in a registry for both architectures, as Docker's multi-platform builds make them."""

    def __init__(self, registry: Any) -> None:
        self._registry, self.repository = registry, f"both-{uuid.uuid4().hex[:12]}"
        self.uri = f"{registry.address}/{self.repository}:1"

    def push(self, engine: docker.APIClient) -> None:
        """Each architecture's image, and the list that names both."""
        manifests = [self._push(engine, architecture) for architecture in DEBIAN.values()]
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
        put = requests.put(self._manifest("1"), json.dumps(document), headers={"Content-Type": INDEX}, timeout=30)
        assert put.ok, put.text

    def images(self, engine: docker.APIClient) -> dict[str, str]:
        """The ids of those that the engine has, and their architectures."""
        found = engine.images(filters={"label": f"relambda.test={self.repository}"}, all=True)
        ids = {image["Id"] for image in found if image["RepoTags"] != ["<none>:<none>"]}
        return {id_: engine.inspect_image(id_)["Architecture"] for id_ in ids}  # type: ignore[no-untyped-call]

    def remove(self, engine: docker.APIClient) -> None:
        """Take them from the engine again."""
        for image in self.images(engine):
            engine.remove_image(image, force=True)

    def _push(self, engine: docker.APIClient, architecture: str) -> dict[str, Any]:
        name = f"{self._registry.address}/{self.repository}:{architecture}"
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as archive:
            text = f'FROM scratch\nCOPY Dockerfile /\nLABEL relambda.test={self.repository}\nENTRYPOINT ["/none"]\n'
            entry = tarfile.TarInfo("Dockerfile")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
        context.seek(0)
        for_ = f"linux/{architecture}"
        said = list(engine.build(fileobj=context, custom_context=True, tag=name, platform=for_, rm=True, decode=True))
        assert "error" not in said[-1], said
        for line in engine.push(name, auth_config=NOBODY, stream=True, decode=True):
            assert "error" not in line, line
        engine.remove_image(name, force=True)
        got = requests.get(self._manifest(architecture), headers={"Accept": MANIFEST}, timeout=30)
        platform_ = {"architecture": architecture, "os": "linux"}
        digest = got.headers["Docker-Content-Digest"]
        return {"mediaType": MANIFEST, "size": len(got.content), "digest": digest, "platform": platform_}

    def _manifest(self, reference: str) -> str:
        return f"http://{self._registry.address}/v2/{self.repository}/manifests/{reference}"


def test_each_architecture_has_its_own_image_of_one_name(
    make_cloud: Any, make_function: Any, call: Callable[..., Any], registry: Any, emulator: None
) -> None:
    """Given one name for two images, when functions are for either, then each keeps its own, pulled once."""
    index = Index(registry)
    with docker.APIClient(version="auto", timeout=60) as engine, ExitStack() as after:
        after.callback(index.remove, engine)
        index.push(engine)
        cloud = make_cloud(LAMBDA_RUNTIME_IMAGE_MAPPING=json.dumps({"python3.11": index.uri}))
        after.callback(cloud.stop)
        aws = cloud.client()
        names = {
            architecture: make_function(aws, Architectures=[architecture], Timeout=20) for architecture in (OWN, OTHER)
        }
        for architecture in (OWN, OTHER, OWN):
            name = names[architecture]
            aws.update_function_configuration(FunctionName=name, Description=uuid.uuid4().hex)
            aws.get_waiter("function_updated_v2").wait(
                FunctionName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300}
            )
            failed, _ = call(aws, name)
            assert failed["errorType"] == "Runtime.InvalidEntrypoint"
            (container,) = cloud.containers_of(name)
            image = engine.inspect_container(container)["Image"]
            assert index.images(engine)[image] == DEBIAN[architecture]
        assert cloud.log().count(f"pulled {index.uri}") == 2
