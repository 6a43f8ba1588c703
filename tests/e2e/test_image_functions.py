"""Functions of container images: their ImageConfig, and images that hold a program and nothing else."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.docker

HANDLERS = Path(__file__).with_name("handlers")
MODULE = """
import os


def handler(event, context):
    return {"cwd": os.getcwd(), "said": os.environ.get("SAID"), "env": os.environ["AWS_EXECUTION_ENV"]}
"""
MakeImage = Callable[..., str]


def test_an_image_config_stands_in_for_the_images_own(
    shared_cloud: Any,
    make_image: MakeImage,
    make_image_function: MakeImage,
    python_image: str,
    call: Callable[..., Any],
) -> None:
    """Given an image, when ImageConfig names entrypoint, command and folder, then these are used in its place."""
    aws = shared_cloud.client()
    image = make_image(
        f'FROM {python_image}\nCOPY index.py /var/task/\nCMD ["index.handler"]\n', **{"index.py": MODULE.encode()}
    )
    own, _ = call(aws, make_image_function(aws, image, Timeout=30))
    assert own == {"cwd": "/var/task", "said": None, "env": "AWS_Lambda_Image"}
    config = {
        "EntryPoint": ["/bin/sh", "-c", 'SAID="$0" exec /lambda-entrypoint.sh "$1"'],
        "Command": ["two words", "index.handler"],
        "WorkingDirectory": "/var",
    }
    other, _ = call(aws, make_image_function(aws, image, Timeout=30, ImageConfig=config))
    assert other == {"cwd": "/var", "said": "two words", "env": "AWS_Lambda_Image"}


def test_an_image_without_a_shell_runs_resets_and_keeps_its_tmp(
    shared_cloud: Any, make_image: MakeImage, make_image_function: MakeImage, call: Callable[..., Any], tmp_path: Path
) -> None:
    """Given an image of one static program, when it answers, fails, hangs, then it is as any other"""
    program = tmp_path / "runtime"
    source = ["-static", "-O1", "-w", "-D_GNU_SOURCE", str(HANDLERS / "bootstrap.c")]
    subprocess.run(["gcc", *source, "-o", program], check=True)
    image = make_image('FROM scratch\nCOPY runtime /\nENTRYPOINT ["/runtime"]\n', runtime=program.read_bytes())
    aws = shared_cloud.client()
    name = make_image_function(aws, image, Timeout=2)

    assert call(aws, name, {"text": "hello"})[0] == {"text": "hello"}
    containers = shared_cloud.containers_of(name)
    _, answer = call(aws, name, {"do": "log"}, LogType="Tail")
    assert "LogResult" in answer
    failed, _ = call(aws, name, {"do": "fail"})
    assert failed["errorType"] == "TypeError"
    hung, _ = call(aws, name, {"do": "hang"})
    assert hung["errorMessage"].endswith("Task timed out after 2.00 seconds")
    assert call(aws, name, {"again": True})[0] == {"again": True}
    assert shared_cloud.containers_of(name) == containers
