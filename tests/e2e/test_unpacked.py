"""What is unpacked on this machine's disk: as much as versions need, and what containers have mounted."""

import io
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import docker
import pytest

pytestmark = pytest.mark.docker

SOON = {"Delay": 0.05, "MaxAttempts": 1200}
ANSWERS = "def handler(event, context):\n    return {answer!r}\n"
READS = """
import socket


def handler(event, context):
    with socket.create_connection(event, timeout=60) as meeting:
        meeting.settimeout(60)
        meeting.recv(1)
    with open("/var/task/late.txt") as file:
        return file.read()
"""
LISTS = """
import os


def handler(event, context):
    paths = [os.path.join(folder, name) for folder, _, names in os.walk("/opt") for name in names]
    return {path: open(path).read() for path in paths} if event else len(paths)
"""


def packed(files: Mapping[str, str]) -> bytes:
    """A zip of texts."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return body.getvalue()


def answering(answer: str) -> bytes:
    return packed({"index.py": ANSWERS.format(answer=answer)})


def named(package: bytes) -> str:
    """The name of its tree."""
    return sha256(package).hexdigest()


def update(aws: Any, name: str, package: bytes) -> None:
    aws.update_function_code(FunctionName=name, ZipFile=package)
    aws.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=SOON)


@pytest.mark.slow
def test_what_no_version_needs_any_more_goes(make_cloud: Any, make_function: Any, call: Callable[..., Any]) -> None:
    """Given code that is updated, published and deleted, then the disk holds what versions need, soon after.

    What is needed again is unpacked again, and a start removes what a killed cloud left.
    """
    cloud = make_cloud(RELAMBDA_POOL_SIZE="2")
    aws = cloud.client()
    one, two, three = map(answering, ("one", "two", "three"))
    name = make_function(aws, Code={"ZipFile": one})
    assert call(aws, name)[0] == "one"
    update(aws, name, two)
    assert call(aws, name)[0] == "two"
    assert cloud.comes_to(lambda: cloud.trees() == {named(two)}), cloud.trees()
    aws.publish_version(FunctionName=name)
    aws.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="1", WaiterConfig=SOON)
    update(aws, name, three)
    update(aws, name, one)
    assert cloud.comes_to(lambda: cloud.trees() == {named(two), named(one)}), cloud.trees()
    assert [call(aws, name)[0], call(aws, f"{name}:1")[0]] == ["one", "two"]
    other = make_function(aws, Code={"ZipFile": two})
    aws.delete_function(FunctionName=name)
    assert cloud.comes_to(lambda: cloud.trees() == {named(two)}), "another function has the same code"
    assert call(aws, other)[0] == "two"
    cloud.kill(master=True, worker=True)
    (cloud.state / "packages" / ("0" * 64)).mkdir()
    cloud.start()
    assert cloud.comes_to(lambda: cloud.trees() == {named(two)}), cloud.trees()
    assert call(cloud.client(), other)[0] == "two"


@pytest.mark.slow
def test_what_a_container_has_mounted_stays(
    make_cloud: Any, make_function: Any, call: Callable[..., Any], rendezvous: Any
) -> None:
    """Given a running invocation, when its code is replaced, then what it reads later is there; afterwards it goes."""
    cloud = make_cloud()
    aws = cloud.client()
    mounted, other = packed({"index.py": READS, "late.txt": "still there"}), answering("other")
    name, passing = make_function(aws, Code={"ZipFile": mounted}, Timeout=90), make_function(aws, ANSWERS)
    update(aws, passing, other)
    with ThreadPoolExecutor(1) as callers:
        running = callers.submit(call, aws, name, rendezvous.address)
        rendezvous.expect(1)
        update(aws, name, answering("new"))
        aws.delete_function(FunctionName=passing)
        assert cloud.comes_to(lambda: named(other) not in cloud.trees()), "the disk was not looked at"
        assert named(mounted) in cloud.trees()
        rendezvous.release()
        assert running.result(90)[0] == "still there"
    assert cloud.comes_to(lambda: named(mounted) not in cloud.trees())
    assert call(aws, name)[0] == "new"


@pytest.mark.slow
def test_five_layers_are_laid_over_each_other_in_order(
    make_cloud: Any, make_function: Any, call: Callable[..., Any]
) -> None:
    """Given five layers that share files, when a function has them, then each file is the last one's that has it.

    The merged tree, and each layer's, goes with the last version that has them.
    """
    cloud = make_cloud(RELAMBDA_POOL_SIZE="2")
    aws = cloud.client()
    contents = [
        {"all": f"{number}", f"only/{number}": f"{number}", **{f"from/{low}": f"{number}" for low in range(number + 1)}}
        for number in range(5)
    ]
    arns = [
        aws.publish_layer_version(LayerName=f"layer-{number}", Content={"ZipFile": packed(content)})["LayerVersionArn"]
        for number, content in enumerate(contents)
    ]
    name = make_function(aws, LISTS, Layers=arns)

    def laid(numbers: list[int]) -> dict[str, str]:
        files: dict[str, str] = {}
        for number in numbers:
            files |= {f"/opt/{path}": text for path, text in contents[number].items()}
        return files

    for order in ([0, 1, 2, 3, 4], [4, 2, 0, 3, 1]):
        aws.update_function_configuration(FunctionName=name, Layers=[arns[number] for number in order])
        aws.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=SOON)
        assert call(aws, name, True)[0] == laid(order)
    assert cloud.comes_to(lambda: len(cloud.trees()) == 7), "the code, five layers, and one of them all"
    aws.update_function_configuration(FunctionName=name, Layers=[])
    aws.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=SOON)
    assert cloud.comes_to(lambda: len(cloud.trees()) == 1), "the code"


@pytest.mark.parametrize("pool", ["0", "2"])
def test_a_large_layer_is_mounted_and_not_copied(
    make_cloud: Any, make_function: Any, call: Callable[..., Any], pool: str
) -> None:
    """Given a layer of 5,000 files, when environments start, then each has the one unpacked tree mounted at /opt.

    No file of it is copied or linked for a start, whether spare containers wait or not.
    """
    cloud = make_cloud(RELAMBDA_POOL_SIZE=pool, LAMBDA_KEEPALIVE_MS="600000")
    aws = cloud.client()
    layer = packed({f"lib/{number}": str(number) for number in range(5000)})
    arn = aws.publish_layer_version(LayerName="large", Content={"ZipFile": layer})["LayerVersionArn"]
    names = [make_function(aws, LISTS, Layers=[arn], MemorySize=256, Timeout=60) for _ in range(2)]
    tree = cloud.state / "packages" / named(layer)
    before = (tree / "lib" / "0").stat()
    engine = docker.APIClient(version="auto")
    for name in names:
        assert call(aws, name, False)[0] == 5000
        (container,) = cloud.containers_of(name)
        mounts = {mount["Destination"]: mount for mount in engine.inspect_container(container)["Mounts"]}
        assert (mounts["/opt"]["Type"], mounts["/opt"]["Source"], mounts["/opt"]["RW"]) == ("bind", str(tree), False)
    engine.close()
    after = (tree / "lib" / "0").stat()
    assert (before.st_nlink, before.st_ino, before.st_mtime_ns) == (1, after.st_ino, after.st_mtime_ns)
    assert after.st_nlink == 1, "a start has linked the layer's files"
    assert not any(path.is_file() for folder in cloud.scratch() for path in (tree.parent / folder).rglob("*"))
