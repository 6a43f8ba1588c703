"""Parts that many tests share: the Docker engine and a runtime's image. A missing one is a failure, never a skip."""

import uuid
from collections.abc import Iterator

import pytest
from hypothesis import settings

from relambda.actors.engine_docker import DockerEngine
from relambda.actors.images import list_images

settings.register_profile("suite", deadline=None)  # no test is timed: machines are loaded
settings.load_profile("suite")


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[DockerEngine]:
    """An engine with a cloud id of its own; whatever containers tests leave behind are removed at the end."""
    engine = DockerEngine(f"test-{uuid.uuid4().hex[:12]}")
    try:
        yield engine
    finally:
        engine.sweep()
        engine.close()


@pytest.fixture(scope="session")
def python_image(docker_engine: DockerEngine) -> str:
    """The name of a present image that runs python3.11."""
    (image,) = list_images(["python3.11"])
    if image.present is None:
        pytest.fail("no image for python3.11 is present: run `python -m relambda.actors.images build python3.11`")
    return image.present
