"""The JavaScript SDK, as npm has it, walks through all groups. `make javascript` installs what it needs."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ACCOUNT = "171717171717"


def node() -> str:
    """The Node.js that `make javascript` found or installed."""
    return next((str(own) for own in HERE.glob("node_modules/node-linux-*/bin/node")), "node")


@pytest.mark.docker
@pytest.mark.slow
def test_the_javascript_sdk_walks(
    caller: Callable[[str], dict[str, str]], package: Path, layer_package: Path, python_image: str
) -> None:
    """Given @aws-sdk/client-lambda, then each of its commands, paginators and waiters does what AWS documents."""
    assert (HERE / "node_modules" / "@aws-sdk").is_dir(), "the SDK is not installed: run `make javascript`"
    given = {"WALK_PACKAGE": str(package), "WALK_LAYER": str(layer_package), "WALK_IMAGE": python_image}
    command = [node(), "--test", str(HERE / "walk.mjs")]
    walked = subprocess.run(
        command, env={**caller(ACCOUNT), **given}, capture_output=True, text=True, timeout=150, check=False
    )
    assert walked.returncode == 0, walked.stdout + walked.stderr
