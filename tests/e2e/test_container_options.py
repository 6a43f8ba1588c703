"""The options that say how functions' containers are made, each seen from inside and from the engine."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

pytestmark = pytest.mark.docker

LOOK = """
import os, pathlib, urllib.request


def handler(event, context):
    return {
        "flag": os.environ.get("FLAG"),
        "shared": pathlib.Path("/shared/file").read_text() if os.path.exists("/shared/file") else None,
        "hosts": pathlib.Path("/etc/hosts").read_text(),
        "resolvers": pathlib.Path("/etc/resolv.conf").read_text(),
        "user": os.getuid(),
        "cloud": urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/_relambda/health", timeout=20).status,
    }
"""


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture
def networks(engine: docker.DockerClient) -> Iterator[list[Any]]:
    """Two networks of the user's own."""
    made = [engine.networks.create(f"relambda-test-{uuid.uuid4().hex[:8]}") for _ in range(2)]
    yield made
    for network in made:
        network.remove()


def test_containers_are_made_as_the_options_say(
    networks: list[Any], make_cloud: Any, make_function: Any, call: Callable[..., Any], engine: Any, tmp_path: Path
) -> None:
    """Given networks, DNS servers, flags and a user, when a function runs, it has them and reaches the cloud."""
    tmp_path.chmod(0o755)
    (tmp_path / "file").write_text("from the host")
    cloud = make_cloud(
        LAMBDA_DOCKER_NETWORK=",".join(network.name for network in networks),
        LAMBDA_DOCKER_DNS="192.0.2.53",
        LAMBDA_DOCKER_FLAGS=f"-e FLAG='two words' -v {tmp_path}:/shared:ro --add-host other.test:192.0.2.7 -l mine=yes "
        "-p 127.0.0.1::8080",
        LAMBDA_INIT_USER="1234",
    )
    aws = cloud.client()
    name = make_function(aws, LOOK, Timeout=30)
    seen, answer = call(aws, name)
    assert "FunctionError" not in answer, seen
    assert (seen["flag"], seen["shared"], seen["user"], seen["cloud"]) == ("two words", "from the host", 1234, 200)
    assert "192.0.2.7\tother.test" in seen["hosts"]
    (container,) = cloud.containers_of(name)
    about = engine.api.inspect_container(container)
    assert about["HostConfig"]["Dns"] == ["192.0.2.53"]
    assert about["Config"]["Labels"]["mine"] == "yes"
    assert {network.name for network in networks} == about["NetworkSettings"]["Networks"].keys()
    (port,) = about["NetworkSettings"]["Ports"]["8080/tcp"]
    assert port["HostIp"] == "127.0.0.1"


def test_stopped_containers_may_be_kept(
    make_cloud: Any, make_function: Any, call: Callable[..., Any], engine: Any
) -> None:
    """Given LAMBDA_REMOVE_CONTAINERS=0, when an environment ends, then its container stays, stopped."""
    cloud = make_cloud(LAMBDA_REMOVE_CONTAINERS="0", LAMBDA_KEEPALIVE_MS="0")
    aws = cloud.client()
    name = make_function(aws)
    assert call(aws, name, 1)[0] == 1
    (container,) = cloud.containers_of(name)
    assert cloud.comes_to(lambda: not engine.api.inspect_container(container)["State"]["Running"])


@pytest.mark.parametrize(("flags", "named"), [("--frobnicate=1", "--frobnicate"), ("-p nonsense:x:y:z", "nonsense")])
def test_a_flag_that_is_not_understood_is_refused_by_name(make_cloud: Any, flags: str, named: str) -> None:
    """Given a flag that Relambda does not know, when the cloud starts, then it does not, and says which one."""
    with pytest.raises(AssertionError, match=named):
        make_cloud(LAMBDA_DOCKER_FLAGS=flags)
