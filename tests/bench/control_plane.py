"""The control plane: reads of a cloud of 10,000 functions, durable writes, and restarts."""

import itertools
import json
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from bench_cloud import (  # type: ignore[import-not-found]
    FUNCTIONS,
    caller,
    connector,
    cpu_seconds,
    creation,
    ok,
    post,
    relambda,
    wait_active,
)
from http_client import Connection  # type: ignore[import-not-found]
from measure import Figure, of_samples, throughput  # type: ignore[import-not-found]

HELD, CLIENTS, RESTARTED, RESTARTS = 10_000, 8, 1_000, 5


def control_plane(scratch: Path) -> Iterator[Figure]:
    """A cloud of its own: filled, read, written to."""
    cloud = relambda("start", "-d", "--port", "0", "--state-dir", str(scratch / "control-plane"))
    try:
        yield filled(cloud, HELD)
        yield from _reads(cloud)
        yield from _writes(cloud)
    finally:
        relambda("stop", "--state-dir", cloud["state_dir"])


def _reads(cloud: dict[str, Any]) -> Iterator[Figure]:
    def get(connection: Connection) -> None:
        ok(connection.request("GET", f"{FUNCTIONS}/{named(HELD // 2)}"))

    def list_(connection: Connection) -> None:
        ok(connection.request("GET", f"{FUNCTIONS}?MaxItems=50"))

    yield _measured(cloud, "GetFunction", get, ">= 1000")
    yield _measured(cloud, f"ListFunctions, 50 of {HELD:,}", list_, ">= 1000")


def _writes(cloud: dict[str, Any]) -> Iterator[Figure]:
    """Each write is the first of its kind for its function: a new version, a new alias."""
    functions = itertools.cycle(map(named, range(HELD)))

    def publish(connection: Connection) -> None:
        post(connection, f"{FUNCTIONS}/{next(functions)}/versions", b"{}")

    def alias(connection: Connection) -> None:
        name = next(functions)
        body = {"Name": f"alias-{time.monotonic_ns()}", "FunctionVersion": "$LATEST"}
        post(connection, f"{FUNCTIONS}/{name}/aliases", json.dumps(body).encode())

    yield _measured(cloud, "PublishVersion, durable", publish, ">= 400")
    yield _measured(cloud, "CreateAlias, durable", alias, ">= 400")


def _measured(cloud: dict[str, Any], name: str, once: Callable[[Connection], object], target: str) -> Figure:
    client = caller(connector(cloud), once)
    name = f"{name}, {CLIENTS} clients"
    return throughput(name, client, CLIENTS, 3.0, target=target, cpu=partial(cpu_seconds, cloud), rounds=3)


def named(index: int) -> str:
    """The name of one function of many."""
    return f"many-{index:05d}"


def filled(cloud: dict[str, Any], count: int) -> Figure:
    """Create so many functions, and wait until they are Active."""
    connect = connector(cloud)

    def create(client: int) -> None:
        with connect() as connection:
            for index in range(client, count, CLIENTS):
                post(connection, FUNCTIONS, creation(named(index)))
            wait_active(connection, named(index))

    cpu, began = cpu_seconds(cloud), time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(create, range(CLIENTS)))
    seconds, cpu = time.perf_counter() - began, cpu_seconds(cloud) - cpu
    name = f"CreateFunction to Active, {count:,} functions, {CLIENTS} clients"
    return Figure(name, "per s", count / seconds, cpu_ms=1000 * cpu / count)


def restarts(scratch: Path) -> Iterator[Figure]:
    """How soon a cloud of 1,000 functions is ready again: from the command to its answer."""
    start = ("start", "-d", "--port", "0", "--state-dir", str(scratch / "restarted"))
    cloud = relambda(*start)
    samples, cpus = list[float](), list[float]()
    try:
        filled(cloud, RESTARTED)
        for _ in range(RESTARTS):
            relambda("stop", "--state-dir", cloud["state_dir"])
            before, began = _children_seconds(), time.perf_counter()
            cloud = relambda(*start)
            samples.append((time.perf_counter() - began) * 1000)
            cpus.append((_children_seconds() - before + cpu_seconds(cloud)) * 1000)
    finally:
        relambda("stop", "--state-dir", cloud["state_dir"])
    cpu = sorted(cpus)[len(cpus) // 2]
    yield of_samples(f"restart with {RESTARTED:,} functions, command to Ready", samples, target="<= 1000", cpu_ms=cpu)


def _children_seconds() -> float:
    """Processor time of the commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
