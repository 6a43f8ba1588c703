"""Parts that many tests share: the Docker engine and a runtime's image. A missing one is a failure, never a skip."""

import uuid
from collections.abc import Callable, Iterator

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
def runtime_image(docker_engine: DockerEngine) -> Callable[[str], str]:
    """Gives the name of a present image that runs a runtime."""

    def image_of(runtime: str) -> str:
        (image,) = list_images([runtime])
        if image.present is None:
            pytest.fail(f"no image for {runtime} is present: run `relambda images pull {runtime} --or-build`")
        return image.present

    return image_of


@pytest.fixture(scope="session")
def python_image(runtime_image: Callable[[str], str]) -> str:
    """The name of a present image that runs python3.11."""
    return runtime_image("python3.11")
