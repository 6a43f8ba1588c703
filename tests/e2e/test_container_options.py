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


@pytest.mark.parametrize("pool", ["0", "2"])
def test_stopped_containers_may_be_kept(
    make_cloud: Any, make_function: Any, call: Callable[..., Any], engine: Any, pool: str
) -> None:
    """Given LAMBDA_REMOVE_CONTAINERS=0, when environments end, also by a stop, then their containers stay, by name.

    Spare containers do not, and the next start removes all.
    """
    cloud = make_cloud(LAMBDA_REMOVE_CONTAINERS="0", LAMBDA_KEEPALIVE_MS="0", RELAMBDA_POOL_SIZE=pool)
    aws = cloud.client()
    first, last = make_function(aws), make_function(aws)
    assert cloud.comes_to(lambda: len(cloud.spares()) == int(pool))
    assert call(aws, first, 1)[0] == 1
    (ended,) = cloud.found_of(first)
    assert (cloud.dressed_of(first) == {ended}) is (pool == "2")
    assert cloud.comes_to(lambda: not engine.api.inspect_container(ended)["State"]["Running"])
    assert cloud.comes_to(lambda: len(cloud.spares()) == int(pool))
    assert call(aws, last, 2)[0] == 2
    cloud.stop()
    (stopped,) = cloud.found_of(last)
    assert cloud.containers() == {ended, stopped}
    assert not engine.api.inspect_container(stopped)["State"]["Running"]
    cloud.start()
    assert not cloud.containers()


SEEN = """
import getpass, os, pathlib


def handler(event, context):
    def read(*paths):
        return next(pathlib.Path(path).read_text().strip() for path in paths if os.path.exists(path))

    status = dict(line.split(":\\t", 1) for line in read("/proc/self/status").splitlines() if ":\\t" in line)
    return {
        "resolvers": read("/etc/resolv.conf"),
        "environment": [os.environ.get(name) for name in ("FROM_FILE", "FROM_FLAG")],
        "mounts": read("/proc/mounts"),
        "sysctl": read("/proc/sys/net/ipv4/ip_unprivileged_port_start"),
        "groups": os.getgroups(),
        "seccomp": status["Seccomp"],
        "user": getpass.getuser(),
        "quota": int(read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu.max").split()[0]),
        "memory": int(read("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max")) // 2**20,
    }
"""


def test_flags_are_docker_creates_own(
    networks: list[Any], make_cloud: Any, make_function: Any, call: Callable[..., Any], engine: Any, tmp_path: Path
) -> None:
    """Given flags of all kinds, when a function runs, then its container has them, as `docker create` makes them."""
    (tmp_path / "variables").write_text("FROM_FILE=of the file\n")
    flags = (
        f"--network {networks[0].name} --dns 192.0.2.54 --dns-search corp.test --dns-option ndots:3 --cap-add NET_RAW "
        f"--tmpfs /scratch:size=1m --sysctl net.ipv4.ip_unprivileged_port_start=7 --group-add 4321 --cpus 0.25 "
        f"--security-opt seccomp=unconfined --env-file {tmp_path}/variables -e FROM_FLAG=yes"
    )
    cloud = make_cloud(LAMBDA_DOCKER_FLAGS=flags)
    aws = cloud.client()
    name = make_function(aws, SEEN, Timeout=30)
    seen, answer = call(aws, name)
    assert "FunctionError" not in answer, seen
    (container,) = cloud.containers_of(name)
    about = engine.api.inspect_container(container)
    assert list(about["NetworkSettings"]["Networks"]) == [networks[0].name]
    assert about["HostConfig"]["Dns"] == ["192.0.2.54"]
    assert "search corp.test" in seen["resolvers"]
    assert "ndots:3" in seen["resolvers"]
    assert seen["environment"] == ["of the file", "yes"]
    assert " /scratch tmpfs " in seen["mounts"]
    assert (seen["sysctl"], seen["seccomp"], seen["quota"]) == ("7", "0", 25_000)
    assert 4321 in seen["groups"]
    assert about["HostConfig"]["CapAdd"] == ["NET_RAW"]


@pytest.mark.parametrize("spare", ["0", "1"])
def test_the_user_by_name_and_a_part_of_a_cpu(
    spare: str, make_cloud: Any, make_function: Any, call: Callable[..., Any]
) -> None:
    """Given LAMBDA_INIT_USER and RELAMBDA_CPU_LIMIT, then functions are that user, and get their part of a vCPU."""
    cloud = make_cloud(LAMBDA_INIT_USER="nobody", RELAMBDA_CPU_LIMIT="1", RELAMBDA_POOL_SIZE=spare)
    aws = cloud.client()
    for memory in (128, 512):
        seen, answer = call(aws, make_function(aws, SEEN, MemorySize=memory, Timeout=60))
        assert "FunctionError" not in answer, seen
        assert (seen["user"], seen["memory"], seen["quota"]) == ("nobody", memory, memory * 100_000 // 1769)


def test_all_that_is_made_in_the_engine_is_found_by_its_labels(
    make_cloud: Any, make_function: Any, call: Callable[..., Any], engine: docker.DockerClient
) -> None:
    """Given functions in a spare container and in one of its own, then a user finds each, and its disk, by label.

    A stop leaves none of them.
    """
    cloud = make_cloud(RELAMBDA_POOL_SIZE="2")
    aws = cloud.client()
    spared, own = make_function(aws), make_function(aws, EphemeralStorage={"Size": 513})
    assert cloud.comes_to(lambda: len(cloud.spares()) == 2)
    assert [call(aws, name, 1)[0] for name in (spared, own)] == [1, 1]
    label = f"relambda={(cloud.state / 'cloud-id').read_text().strip()}"
    assert cloud.comes_to(lambda: len(cloud.containers_of(spared)) == 1 and len(cloud.spares()) == 2)
    found = engine.containers.list(all=True, filters={"label": label})
    disks = {mount["Name"] for each in found for mount in each.attrs["Mounts"] if mount["Destination"] == "/tmp"}
    assert len(found) == len(disks) == 4
    assert {volume.name for volume in engine.volumes.list(filters={"label": label})} == disks
    (made,) = engine.containers.list(all=True, filters={"label": [label, "relambda.function"]})
    assert made.labels["relambda.function"] == f"arn:aws:lambda:us-east-1:111111111111:function:{own}:$LATEST"
    assert {made.id} == cloud.containers_of(own)
    assert len(engine.containers.list(all=True, filters={"label": [label, "relambda.spare"]})) == 3
    cloud.stop()
    assert not engine.volumes.list(filters={"label": label})


@pytest.mark.parametrize(("flags", "named"), [("--frobnicate=1", "--frobnicate"), ("-p nonsense:x:y:z", "nonsense")])
def test_a_flag_that_is_not_understood_is_refused_by_name(make_cloud: Any, flags: str, named: str) -> None:
    """Given a flag that Relambda does not know, when the cloud starts, then it does not, and says which one."""
    with pytest.raises(AssertionError, match=named):
        make_cloud(LAMBDA_DOCKER_FLAGS=flags)
