"""Functions whose images come from a real registry: pulled while Pending, pinned by digest, refused in AWS's words."""

import base64
import io
import json
import tarfile
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import docker
import pytest

pytestmark = pytest.mark.docker

HANDLER = "def handler(event, context):\n    return {'from': 'the image', **event}\n"
NOBODY = {"username": "nobody", "password": "nothing"}


class Push:
    """Builds images of one handler, and moves them from the engine to a registry; each knows its digest there."""

    def __init__(self, api: docker.APIClient, base: str) -> None:
        self._api, self._base = api, base
        self.names: list[str] = []

    def __call__(self, registry: Any, content: str = HANDLER, name: str = "") -> tuple[str, str]:
        name = f"{registry.address}/{name or f'app-{uuid.uuid4().hex[:8]}:1'}"
        dockerfile = f'FROM {self._base}\nCOPY index.py /var/task/\nCMD ["index.handler"]\n'
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as archive:
            for path, text in {"Dockerfile": dockerfile, "index.py": content}.items():
                entry = tarfile.TarInfo(path)
                entry.size, entry.mode = len(text), 0o644
                archive.addfile(entry, io.BytesIO(text.encode()))
        context.seek(0)
        said = list(self._api.build(fileobj=context, custom_context=True, tag=name, rm=True, decode=True))
        assert "error" not in said[-1], said
        credentials = {"username": registry.user, "password": registry.password} if registry.user else NOBODY
        for line in self._api.push(name, auth_config=credentials, stream=True, decode=True):
            assert "error" not in line, line
        (digest,) = self._api.inspect_image(name)["RepoDigests"]  # type: ignore[no-untyped-call]
        self.names.append(name)
        self.forget(name)
        return name, digest

    def forget(self, name: str) -> None:
        """Take an image away from the engine; the registry keeps it."""
        self._api.remove_image(name, force=True)


@pytest.fixture
def push(python_image: str, until: Callable[[Callable[[], object], str], None]) -> Iterator[Push]:
    """Makes images in a registry that the engine has not; what tests pulled is removed at the end."""
    with docker.APIClient(version="auto", timeout=60) as api:
        pusher = Push(api, python_image)
        yield pusher
        for name in pusher.names:
            for image in api.images(name.rpartition(":")[0]):
                until(partial(removed, api, image["Id"]), f"a container still runs {name}")


def removed(api: docker.APIClient, image: str) -> bool:
    """Remove an image; False while a container that is on its way out still has it."""
    try:
        api.remove_image(image, force=True)
    except docker.errors.ImageNotFound:
        return True
    except docker.errors.APIError as error:
        if "running container" not in str(error):
            raise
        return False
    return True


def image_function(uri: str) -> dict[str, Any]:
    return {"Code": {"ImageUri": uri}, "PackageType": "Image", "Role": "arn:aws:iam::111111111111:role/test"}


def failed(client: Any, name: str, cloud: Any) -> tuple[str, str]:
    """The reason code and the reason with which a function ends up Failed."""

    def configuration() -> dict[str, Any]:
        return dict(client.get_function_configuration(FunctionName=name))

    assert cloud.comes_to(lambda: configuration()["State"] == "Failed"), configuration()
    return configuration()["StateReasonCode"], configuration()["StateReason"]


def test_an_image_is_pulled_and_stays_the_one_it_was(shared_cloud: Any, registry: Any, push: Push, call: Any) -> None:
    """Given a function of a registry's image, when it is Active, then its digest is told, and that one runs."""
    uri, digest = push(registry)
    client, name = shared_cloud.client(), f"f-{uuid.uuid4().hex[:8]}"
    assert client.create_function(FunctionName=name, **image_function(uri))["State"] == "Pending"
    client.get_waiter("function_active_v2").wait(FunctionName=name)

    found = client.get_function(FunctionName=name)
    assert found["Code"] == {"RepositoryType": "ECR", "ImageUri": uri, "ResolvedImageUri": digest}
    assert found["Configuration"]["CodeSha256"] == base64.b64encode(bytes.fromhex(digest[-64:])).decode()
    assert call(client, name, {"n": 1})[0] == {"from": "the image", "n": 1}
    log = shared_cloud.log()
    assert f"pulling {uri}" in log
    assert f"pulled {uri}" in log
    client.delete_function(FunctionName=name)


def test_an_image_that_is_not_there_is_told_in_awss_words(shared_cloud: Any, registry: Any) -> None:
    """Given a registry without the image, when a function is made of it, then it is Failed, and says so."""
    uri = f"{registry.address}/nothing/here:1"
    client, name = shared_cloud.client(), f"f-{uuid.uuid4().hex[:8]}"
    client.create_function(FunctionName=name, **image_function(uri))
    told = f"Source image {uri} does not exist. Provide a valid source image."
    assert failed(client, name, shared_cloud) == ("InvalidImage", told)


def test_without_credentials_a_private_image_is_denied(shared_cloud: Any, private_registry: Any, push: Push) -> None:
    """Given a private registry, when the cloud has no credentials for it, then its function is Failed: denied."""
    uri, _ = push(private_registry)
    client, name = shared_cloud.client(), f"f-{uuid.uuid4().hex[:8]}"
    client.create_function(FunctionName=name, **image_function(uri))
    told = "Lambda does not have permission to access the ECR image. Check the ECR permissions."
    assert failed(client, name, shared_cloud) == ("ImageAccessDenied", told)


def test_credentials_are_those_of_dockers_own_configuration(
    private_registry: Any, push: Push, make_cloud: Any, make_function: Any, call: Any, tmp_path: Path
) -> None:
    """Given `docker login`, when a runtime is mapped to a private image, then it is pulled for functions of zips."""
    uri, _ = push(private_registry)
    cloud = make_cloud(
        DOCKER_CONFIG=str(private_registry.docker_config(tmp_path / "docker")),
        LAMBDA_RUNTIME_IMAGE_MAPPING=json.dumps({"python3.11": uri}),
    )
    client = cloud.client()
    assert call(client, make_function(client), {"n": 1})[0] == {"n": 1}
    assert f"pulled {uri}" in cloud.log()


def test_an_offline_cloud_pulls_nothing(
    registry: Any, push: Push, make_cloud: Callable[..., Any], make_function: Any, call: Any
) -> None:
    """Given a cloud that is offline, when a function needs an absent image, then it is Failed; a present one runs."""
    uri, _ = push(registry)
    cloud = make_cloud(RELAMBDA_OFFLINE="1")
    client = cloud.client()
    client.create_function(FunctionName="absent", **image_function(uri))
    code, reason = failed(client, "absent", cloud)
    assert code == "InvalidImage"
    assert f"{uri}: not pulled: offline" in reason
    assert call(client, make_function(client), {"n": 1})[0] == {"n": 1}


def test_functions_of_one_image_pull_it_once(shared_cloud: Any, registry: Any, push: Push, call: Any) -> None:
    """Given two functions of an absent image, one with an ImageConfig, when created at once, then it is pulled once."""
    source = "import os\ndef handler(event, context):\n    return [os.getcwd(), os.environ.get('SAID'), event]\n"
    uri, _ = push(registry, source)
    config = {
        "EntryPoint": ["/bin/sh", "-c", 'SAID="$0" exec /lambda-entrypoint.sh "$1"'],
        "Command": ["told", "index.handler"],
        "WorkingDirectory": "/usr",
    }
    first = f"f-{uuid.uuid4().hex[:8]}"
    members: dict[str, dict[str, Any]] = {first: {}, f"{first}-configured": config}
    client = shared_cloud.client()

    def run(name: str) -> Any:
        given = {"ImageConfig": members[name]} if members[name] else {}
        client.create_function(FunctionName=name, Timeout=30, **given, **image_function(uri))
        client.get_waiter("function_active_v2").wait(FunctionName=name)
        return call(client, name, 1)[0]

    with ThreadPoolExecutor(2) as callers:
        plain, configured = callers.map(run, members)
    assert (plain, configured) == (["/var/task", None, 1], ["/usr", "told", 1])
    assert registry.manifest_reads(uri.partition("/")[2].partition(":")[0]) == 1
    for name in members:
        client.delete_function(FunctionName=name)


@pytest.mark.parametrize("option", ["LAMBDA_RUNTIME_IMAGE_MAPPING", "DOCKER_GLOBAL_IMAGE_PREFIX"])
def test_runtimes_come_from_where_the_options_say(
    option: str, registry: Any, push: Push, make_cloud: Any, make_function: Any, call: Any
) -> None:
    """Given a pattern of images or a registry's prefix, when a function needs a runtime, then that image is pulled."""
    mine = f"x-{uuid.uuid4().hex[:8]}"
    name, value = {
        "LAMBDA_RUNTIME_IMAGE_MAPPING": (f"{mine}/lambda-ruby3.4:1", f"{registry.address}/{mine}/lambda-<runtime>:1"),
        "DOCKER_GLOBAL_IMAGE_PREFIX": (f"{mine}/public.ecr.aws/lambda/ruby:3.4", f"{registry.address}/{mine}/"),
    }[option]
    uri, _ = push(registry, name=name)
    cloud = make_cloud(**{option: value})
    client = cloud.client()
    source = "import os\ndef handler(event, context):\n    return os.environ['AWS_EXECUTION_ENV']\n"
    assert call(client, make_function(client, source, Runtime="ruby3.4"))[0] == "AWS_Lambda_ruby3.4"
    assert f"pulled {uri}" in cloud.log()


def test_an_image_that_was_removed_is_pulled_again_or_missed_by_name(
    registry: Any, push: Push, make_cloud: Any, call: Any
) -> None:
    """Given an Active function, when its image goes away, then a cold start pulls it; offline, its name is told."""
    uri, digest = push(registry)
    cloud = make_cloud(LAMBDA_KEEPALIVE_MS="0")
    client = cloud.client()
    client.create_function(FunctionName="f", Timeout=30, **image_function(uri))
    client.get_waiter("function_active_v2").wait(FunctionName="f")
    push.forget(uri)
    assert call(client, "f", {"n": 1})[0] == {"from": "the image", "n": 1}
    assert f"pulled {digest}" in cloud.log()

    assert cloud.comes_to(lambda: not cloud.containers())
    push.forget(digest)
    cloud.stop()
    cloud.environment["RELAMBDA_OFFLINE"] = "1"
    cloud.start()
    answer, _ = call(cloud.client(), "f", {"n": 2})
    assert f"no image is present for {digest}" in answer["errorMessage"]
    assert "not pulled: offline" in answer["errorMessage"]


def test_a_runtimes_image_that_was_just_removed_is_found_out(
    registry: Any, push: Push, make_cloud: Any, make_function: Any, call: Any
) -> None:
    """Given a runtime's image that has just been seen, when it goes, then a function created next still runs."""
    uri, _ = push(registry)
    cloud = make_cloud(LAMBDA_RUNTIME_IMAGE_MAPPING=json.dumps({"python3.11": uri}))
    client = cloud.client()
    make_function(client)
    push.forget(uri)
    name = make_function(client)
    assert call(client, name, {"n": 1})[0] == {"n": 1}
    assert cloud.log().count(f"pulled {uri}") == 2


def test_a_registry_that_is_away_is_told(shared_cloud: Any) -> None:
    """Given an address where no registry listens, when a function needs an image of it, then it is Failed, and why."""
    client, name = shared_cloud.client(), f"f-{uuid.uuid4().hex[:8]}"
    client.create_function(FunctionName=name, **image_function("127.0.0.1:9/away:1"))
    code, reason = failed(client, name, shared_cloud)
    assert code == "InvalidImage"
    assert "127.0.0.1:9/away:1" in reason
    assert "connection refused" in reason
