"""`relambda images`: what is present is found, what is absent is told with the mend, and offline nothing is pulled."""

import json
from collections.abc import Callable
from typing import Protocol

import pytest

pytestmark = pytest.mark.docker


class Done(Protocol):
    returncode: int
    stdout: str
    stderr: str


class Command(Protocol):
    def __call__(self, *arguments: object, **environ: str) -> Done: ...


def test_present_images_are_given_by_name(relambda: Command, runtime_image: Callable[[str], str]) -> None:
    """Given images that are present, when they are to be pulled, then their names are answered, in order, unpulled."""
    runtimes = ["python3.13", "provided.al2023"]
    done = relambda("images", "pull", *runtimes, "--offline", "--json")
    assert done.returncode == 0, done.stderr
    wanted = [{"runtime": runtime, "image": runtime_image(runtime)} for runtime in runtimes]
    assert json.loads(done.stdout) == wanted
    assert "pulling" not in done.stderr


def test_offline_an_absent_image_is_missing(relambda: Command) -> None:
    """Given an image that is absent, when it is to be pulled offline, then it is not, and the mend is told."""
    done = relambda("images", "pull", "python2.7", "--offline")
    assert done.returncode == 1
    assert "public.ecr.aws/lambda/python:2.7: not pulled: offline" in done.stderr
    assert "relambda images build python2.7" in done.stderr


def test_a_mapped_image_is_what_is_pulled(relambda: Command) -> None:
    """Given a mapping and a prefix, when an image is to be pulled, then it is the mapped one, from there."""
    mapped = {"LAMBDA_RUNTIME_IMAGE_MAPPING": "mine/x-<runtime>:1", "DOCKER_GLOBAL_IMAGE_PREFIX": "127.0.0.1:9"}
    done = relambda("images", "pull", "python3.13", **mapped)
    assert done.returncode == 1
    assert "no image is present for 127.0.0.1:9/mine/x-python3.13:1" in done.stderr


def test_the_list_tells_what_can_be_built(relambda: Command, runtime_image: Callable[[str], str]) -> None:
    """Given recipes of six runtimes, when images are listed, then each is there, with the image that would run it."""
    listed = {one["runtime"]: one for one in json.loads(relambda("images", "list", "--json").stdout)}
    buildable = {runtime for runtime, one in listed.items() if one["buildable"]}
    assert buildable == {"python3.11", "python3.13", "nodejs20.x", "nodejs22.x", "nodejs24.x", "provided.al2023"}
    assert all(listed[runtime]["present"] == runtime_image(runtime) for runtime in buildable)
