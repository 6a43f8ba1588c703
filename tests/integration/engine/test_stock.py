"""The thread that keeps spare sandboxes: whatever goes wrong, it says so, rests, and goes on."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest

from relambda.actors.engine.around import EngineAround
from relambda.actors.engine.contract import Engine, EngineError, Sandbox, SandboxListener, SandboxSpec
from relambda.actors.engine.docker_engine import DockerEngine
from relambda.actors.packages.packages import Packages
from relambda.actors.pool.pooled_engine import PooledEngine

pytestmark = pytest.mark.docker


class FailingAtFirst(EngineAround):
    """A real engine that fails a few times before it starts sandboxes."""

    def __init__(self, engine: Engine, errors: list[Exception]) -> None:
        self.engine, self.errors = engine, errors

    def _found(self) -> Engine:
        return self.engine

    def start_sandbox(self, spec: SandboxSpec, listener: SandboxListener) -> Sandbox:
        if self.errors:
            raise self.errors.pop(0)
        return super().start_sandbox(spec, listener)

    def close(self) -> None:
        """The engine inside is the test session's."""


@contextmanager
def pooled(engine: Engine, root: Path) -> Iterator[PooledEngine]:
    """An engine that keeps one spare sandbox, swept at the end."""
    around = PooledEngine(engine, Packages(root), lambda _old, _new: None, {}, size=1, total=1)
    try:
        yield around
    finally:
        around.sweep()


def comes_to(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 60
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def own_engine() -> Iterator[DockerEngine]:
    """An engine with a cloud id of its own, so that its sweep is nobody else's."""
    engine = DockerEngine("test-stock")
    yield engine
    engine.sweep()
    engine.close()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyError("a defect"), "the pool of spare sandboxes failed, and goes on"),
        (EngineError("the engine hiccups"), "no spare sandbox: the engine hiccups"),
    ],
)
def test_an_error_is_logged_and_the_thread_goes_on(
    own_engine: DockerEngine,
    python_image: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    said: str,
) -> None:
    """Given an engine that fails once, expectedly or not, when a spare sandbox is wanted, then one comes all the same.

    Nothing is left when it is swept.
    """
    caplog.set_level(logging.WARNING)
    failing = FailingAtFirst(own_engine, [error])
    own_engine.ensure_image([python_image], lambda _: None)
    with pooled(failing, tmp_path / "packages") as engine:
        engine.expect(python_image, "", [], 128)
        assert comes_to(lambda: engine.spares() == 1)
        assert not failing.errors
        assert said in caplog.text
    with docker.APIClient(version="auto") as client:
        assert not client.containers(all=True, filters={"label": "relambda=test-stock"})
    assert not [path for path in (tmp_path / "packages").iterdir() if any(path.iterdir())]
