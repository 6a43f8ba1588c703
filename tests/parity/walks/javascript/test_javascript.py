"""The JavaScript SDK, as npm has it, walks through all groups. `make javascript` installs what it needs."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ACCOUNT = "171717171717"
pytestmark = [pytest.mark.docker, pytest.mark.slow]


def node() -> str:
    """The Node.js that `make javascript` found or installed."""
    return next((str(own) for own in HERE.glob("node_modules/node-linux-*/bin/node")), "node")


@pytest.fixture(scope="module")
def walk(
    caller: Callable[[str], dict[str, str]], package: Path, layer_package: Path, python_image: str
) -> subprocess.CompletedProcess[str]:
    """The walk, over."""
    assert (HERE / "node_modules" / "@aws-sdk").is_dir(), "the SDK is not installed: run `make javascript`"
    given = {"WALK_PACKAGE": str(package), "WALK_LAYER": str(layer_package), "WALK_IMAGE": python_image}
    command = [node(), "--test", str(HERE / "walk.mjs")]
    return subprocess.run(
        command, env={**caller(ACCOUNT), **given}, capture_output=True, text=True, timeout=150, check=False
    )


def test_the_javascript_sdk_walks(walk: subprocess.CompletedProcess[str]) -> None:
    """Given @aws-sdk/client-lambda, then each of its commands, paginators and waiters does what AWS documents."""
    assert walk.returncode == 0, walk.stdout + walk.stderr


def test_the_log_alone_makes_the_same_cloud(walk: object, replay: Callable[[], set[str]], aws: Any) -> None:
    """Given what every command has left, when the log is replayed elsewhere, then every read answers the same bytes."""
    model = aws.meta.service_model
    reads = {name for name in model.operation_names if model.operation_model(name).http["method"] == "GET"}
    assert replay() == reads
