"""What walks of SDKs in other processes need: where the cloud is, who calls, and packages to upload."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Environment = dict[str, str]


@pytest.fixture(scope="session")
def caller(cloud: dict[str, Any]) -> Callable[[str], Environment]:
    """Makes the environment of a process that calls the cloud as an account; nothing of the user's own AWS is in it."""

    def environment(account: str) -> Environment:
        others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **others,
            "AWS_ENDPOINT_URL_LAMBDA": cloud["url"],
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "walk",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    return environment


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory, function_zip: bytes) -> Path:
    """A file with a function's deployment package."""
    path = tmp_path_factory.mktemp("walk") / "function.zip"
    path.write_bytes(function_zip)
    return path


@pytest.fixture(scope="session")
def layer_package(tmp_path_factory: pytest.TempPathFactory, make_zip: Callable[..., bytes]) -> Path:
    """A file with a layer's content."""
    path = tmp_path_factory.mktemp("walk") / "layer.zip"
    path.write_bytes(make_zip("x = 1\n", "python/shared.py"))
    return path
