"""The floor: a container, its runtime and the Runtime API with no control plane at all, in the same run.

What the cloud adds to it (HTTP, the actor, the log) is the difference to the figures behind.
"""

import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from measure import Figure, of_samples  # type: ignore[import-not-found]

from relambda.actors.engine.contract import Mount, SandboxExit, SandboxSpec
from relambda.actors.engine.docker_engine import DockerEngine
from relambda.actors.images.builder import image_candidates
from relambda.actors.runtime_api.listener import RuntimeApi
from relambda.actors.runtime_api.session import ExecutionEnvironment, RuntimeEvent, RuntimeFailure, Session
from relambda.actors.telemetry.subscription import Subscription


class Waiter:
    """Listens to a sandbox and its runtime, and wakes who waits for the next thing."""

    def __init__(self) -> None:
        self.ready, self.answered = threading.Event(), threading.Event()

    def on_next(self) -> None:
        self.ready.set()

    def on_delivery(self, request_id: str) -> int:
        del request_id
        return time.time_ns() // 1_000_000 + 3000

    def on_response(self, request_id: str, payload: bytes) -> None:
        del request_id, payload
        self.answered.set()

    def on_error(self, request_id: str, failure: RuntimeFailure) -> None:
        del request_id
        raise RuntimeError(failure.body.decode())

    def on_init_error(self, failure: RuntimeFailure) -> None:
        raise RuntimeError(failure.body.decode())

    def on_idle(self) -> None: ...

    def on_answer_begins(self) -> None: ...

    def on_extensions_registered(self) -> None: ...

    def on_extension_error(self, name: str, phase: str, failure: RuntimeFailure) -> None: ...

    def on_subscribed(self, subscription: Subscription) -> None: ...

    def on_restore_ready(self) -> None: ...

    def on_restore_error(self, failure: RuntimeFailure) -> None: ...

    def on_output(self, data: bytes) -> None: ...

    def on_extension_output(self, data: bytes) -> None: ...

    def on_extension_found(self, name: str) -> None: ...

    def on_extensions_told(self) -> None: ...

    def on_extension_exit(self, name: str, code: int) -> None: ...

    def on_runtime_unfit(self, program: str, code: int) -> None: ...
    def on_runtime_exit(self, code: int) -> None: ...

    def on_mark(self, mark: str, memory_peak_bytes: int) -> None: ...

    def on_killed(self) -> None: ...

    def on_exit(self, exit_: SandboxExit) -> None: ...


def floor(runtime: str, source: str) -> Iterator[Figure]:
    """Start of a container with its runtime, and a warm round trip."""
    engine = DockerEngine(f"bench-{uuid.uuid4().hex}")
    api = RuntimeApi(engine.runtime_api_host())
    api.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            (Path(folder) / "index.py").write_text(source)
            yield from _floor(engine, api, runtime, folder)
    finally:
        engine.sweep()
        engine.close()
        api.stop(5)


def _started(engine: DockerEngine, api: RuntimeApi, image: str, folder: str) -> tuple[Session, Waiter]:
    """A container whose runtime waits for work."""
    token, waiter = uuid.uuid4().hex, Waiter()
    session = api.open(token, waiter, ExecutionEnvironment("f", "$LATEST", "index.handler", "0" * 12, ""))
    environment = {"AWS_LAMBDA_RUNTIME_API": f"{token}:{api.address[1]}"}
    mounts = [Mount(Path(folder), "/var/task")]
    spec = SandboxSpec(f"bench-{token}", image, ("index.handler",), environment, 128, token, mounts)
    engine.start_sandbox(spec, waiter).start_runtime()
    if not waiter.ready.wait(30):
        raise TimeoutError("the runtime of the floor is not ready after 30 s")
    return session, waiter


def _floor(engine: DockerEngine, api: RuntimeApi, runtime: str, folder: str) -> Iterator[Figure]:
    image, starts = engine.ensure_image(image_candidates(runtime), lambda _: None), []
    session, waiter = _started(engine, api, image, folder)
    for _ in range(5):
        began = time.perf_counter()
        session, waiter = _started(engine, api, image, folder)
        starts.append((time.perf_counter() - began) * 1000)
    yield of_samples("floor: container start and runtime init", starts)
    samples = []
    for index in range(3000):
        waiter.answered.clear()
        began = time.perf_counter()
        session.assign(RuntimeEvent(str(index), b'{"k":1}', "arn"))
        if not waiter.answered.wait(5):
            raise TimeoutError("no answer on the floor after 5 s")
        samples.append((time.perf_counter() - began) * 1000)
    yield of_samples("floor: warm round trip of the Runtime API", samples)
