"""Cold starts: from a spare container and without one, ten at a time, and with a large package."""

import io
import json
import os
import time
import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
from bench_cloud import (  # type: ignore[import-not-found]
    FUNCTIONS,
    SOURCE,
    connector,
    create,
    creation,
    invoke_ms,
    ok,
    post,
    relambda,
    wait_active,
)
from http_client import Connection  # type: ignore[import-not-found]
from measure import Figure, of_samples  # type: ignore[import-not-found]

ROUNDS = 9
QUIET_SECONDS = 0.5
TOGETHER = 10
BURSTS = 3
FILES, FILE_BYTES = 20_000, 12_500
POOL = 2


def cold_starts(scratch: Path) -> Iterator[Figure]:
    """All of them, each against a cloud of its own."""
    yield from _against(scratch / "pooled", str(POOL), _from_the_pool)
    yield from _against(scratch / "unpooled", "0", _without)


def _against(state: Path, pool: str, measured: Any) -> list[Figure]:
    os.environ["RELAMBDA_POOL_SIZE"] = pool
    try:
        cloud = relambda("start", "-d", "--port", "0", "--state-dir", str(state))
    finally:
        del os.environ["RELAMBDA_POOL_SIZE"]
    try:
        return list(measured(cloud))
    finally:
        relambda("stop", "--state-dir", str(state))


def _from_the_pool(cloud: dict[str, Any]) -> Iterator[Figure]:
    """Each start finds the pool full, as one does that comes alone; a burst finds it as the burst before left it."""
    samples, connect = [], connector(cloud)
    with connect() as connection, closing(docker.from_env()) as engine:
        label = f"relambda={(Path(cloud['state_dir']) / 'cloud-id').read_text().strip()}"

        def spares() -> int:
            return len(engine.api.containers(filters={"label": [label, "relambda.spare"]}))

        for index in range(ROUNDS):
            create(connection, f"pooled-{index}")
            wait_for(lambda: spares() >= POOL + index)  # noqa: B023
            time.sleep(QUIET_SECONDS)
            samples.append(invoke_ms(connection, f"pooled-{index}"))
        for index in range(ROUNDS):
            ok(connection.request("DELETE", f"{FUNCTIONS}/pooled-{index}"))
        wait_for(lambda: spares() == POOL)
        one = of_samples("cold start from a spare container", samples, target="p50 <= 100")
        bursts = [_burst(connect, f"burst-{index}", lambda: spares() == TOGETHER) for index in range(BURSTS + 1)]
    yield one
    yield of_samples(f"{TOGETHER} cold starts at once, the first time, until the last", bursts[:1])
    yield of_samples(f"{TOGETHER} cold starts at once, the next times", bursts[1:])


def _burst(connect: Any, name: str, refilled: Callable[[], bool]) -> float:
    """Ten at once, and wait until as many spare containers are there again."""
    time.sleep(QUIET_SECONDS)
    took = _together(connect, name)
    with connect() as connection:
        ok(connection.request("DELETE", f"{FUNCTIONS}/{name}"))
    wait_for(refilled)
    return took


def _without(cloud: dict[str, Any]) -> Iterator[Figure]:
    connect = connector(cloud)
    with connect() as connection:
        small = of_samples(
            "cold start without", [_cold(connection, f"s-{i}") for i in range(ROUNDS)], target="p50 <= 300"
        )
        yield small
        together = [_together(connect, f"together-{index}") for index in range(3)]
        times = sorted(together)[1] / small.value
        yield of_samples(f"{TOGETHER} cold starts at once, without", together, note=f"{times:.1f} times one")
        _create(connection, "large", _large_package())
        samples = [_restarted(connection, "large", index) for index in range(ROUNDS)]
        more = of_samples("cold start with 20,000 files, 250 MB", samples[1:], target=f"p50 <= {small.value + 100:.0f}")
        yield more


def wait_for(holds: Callable[[], bool]) -> None:
    """Look until it is so. Raises TimeoutError."""
    until = time.perf_counter() + 60
    while not holds():
        if time.perf_counter() > until:
            raise TimeoutError("it is not so after 60 s")
        time.sleep(0.02)


def _cold(connection: Connection, name: str) -> float:
    create(connection, name)
    return float(invoke_ms(connection, name))


def _together(connect: Any, name: str) -> float:
    """Milliseconds until ten first invocations, sent at once, have all been answered by environments of their own."""
    source = "import time\n\n\ndef handler(event, context):\n    time.sleep(1)\n"
    with connect() as connection:
        _create(connection, name, _zipped({"index.py": source}))
    with ThreadPoolExecutor(TOGETHER) as clients:
        connections = [connect() for _ in range(TOGETHER)]
        began = time.perf_counter()
        list(clients.map(lambda one: invoke_ms(one, name), connections))
        return (time.perf_counter() - began) * 1000 - 1000


def _restarted(connection: Connection, name: str, index: int) -> float:
    """A change of its configuration ends a function's environments."""
    body = json.dumps({"Description": str(index)}).encode()
    ok(connection.request("PUT", f"{FUNCTIONS}/{name}/configuration", body))
    path = f"{FUNCTIONS}/{name}/configuration"
    wait_for(lambda: json.loads(ok(connection.request("GET", path)))["LastUpdateStatus"] == "Successful")
    return float(invoke_ms(connection, name))


def _create(connection: Connection, name: str, package: bytes) -> None:
    post(connection, FUNCTIONS, creation(name, {"ZipFile": b64encode(package).decode()}))
    wait_active(connection, name)


def _large_package() -> bytes:
    """As many bytes and files as a function may have, nearly, in a zip that is small enough to be sent."""
    line = "x = 1  # a line of code like another\n"
    content = (line * (FILE_BYTES // len(line)))[: FILE_BYTES - 1] + "\n"
    files = {f"package_{index // 200:03d}/module_{index:05d}.py": content for index in range(FILES)}
    return _zipped({"index.py": SOURCE, **files})


def _zipped(files: dict[str, str]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return body.getvalue()
