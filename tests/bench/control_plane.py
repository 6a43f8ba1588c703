"""The control plane: durable writes to 1,000 functions, reads of 10,000, writes again, and restarts."""

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

SOME, MANY, CLIENTS, RESTARTS = 1_000, 10_000, 8, 5


def control_plane(scratch: Path) -> Iterator[Figure]:
    """A cloud of its own: filled, read, written to."""
    cloud = relambda("start", "-d", "--port", "0", "--state-dir", str(scratch / "control-plane"))
    try:
        yield filled(cloud, range(SOME))
        yield from _writes(cloud, SOME, ">= 400")
        yield filled(cloud, range(SOME, MANY))
        yield from _reads(cloud)
        yield from _writes(cloud, MANY, "")
    finally:
        relambda("stop", "--state-dir", cloud["state_dir"])


def _reads(cloud: dict[str, Any]) -> Iterator[Figure]:
    def get(connection: Connection) -> None:
        ok(connection.request("GET", f"{FUNCTIONS}/{named(MANY // 2)}"))

    def list_(connection: Connection) -> None:
        ok(connection.request("GET", f"{FUNCTIONS}?MaxItems=50"))

    yield _measured(cloud, "GetFunction", get, ">= 1000")
    yield _measured(cloud, f"ListFunctions, 50 of {MANY:,}", list_, ">= 1000")


def _writes(cloud: dict[str, Any], held: int, target: str) -> Iterator[Figure]:
    """To each of the last thousand functions once: a second PublishVersion would have nothing to write."""
    some = range(held - SOME, held)

    def publish(connection: Connection, index: int) -> None:
        post(connection, f"{FUNCTIONS}/{named(index)}/versions", b"{}")

    def alias(connection: Connection, index: int) -> None:
        body = {"Name": "live", "FunctionVersion": "$LATEST"}
        post(connection, f"{FUNCTIONS}/{named(index)}/aliases", json.dumps(body).encode())

    yield _through(cloud, f"CreateAlias, durable, {held:,} functions", alias, some, target)
    yield _through(cloud, f"PublishVersion, durable, {held:,} functions", publish, some, target)


def _through(
    cloud: dict[str, Any], name: str, once: Callable[[Connection, int], object], functions: range, target: str = ""
) -> Figure:
    """Do it to each of these functions once."""
    connect = connector(cloud)

    def work(share: range) -> None:
        with connect() as connection:
            for index in share:
                once(connection, index)

    cpu, began = cpu_seconds(cloud), time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(work, (functions[client::CLIENTS] for client in range(CLIENTS))))
    seconds, cpu = time.perf_counter() - began, cpu_seconds(cloud) - cpu
    rate, cpu_ms = len(functions) / seconds, 1000 * cpu / len(functions)
    return Figure(f"{name}, {CLIENTS} clients", "per s", rate, target=target, cpu_ms=cpu_ms)


def _measured(cloud: dict[str, Any], name: str, once: Callable[[Connection], object], target: str) -> Figure:
    client = caller(connector(cloud), once)
    name = f"{name}, {CLIENTS} clients"
    return throughput(name, client, CLIENTS, 3.0, target=target, cpu=partial(cpu_seconds, cloud), rounds=3)


def named(index: int) -> str:
    """The name of one function of many."""
    return f"many-{index:05d}"


def filled(cloud: dict[str, Any], functions: range) -> Figure:
    """Create these functions, and wait until the last ones are Active."""

    def create(connection: Connection, index: int) -> None:
        post(connection, FUNCTIONS, creation(named(index)))

    figure: Figure = _through(cloud, f"CreateFunction, {len(functions):,} functions", create, functions)
    with connector(cloud)() as connection:
        for index in functions[-CLIENTS:]:
            wait_active(connection, named(index))
    return figure


def restarts(scratch: Path) -> Iterator[Figure]:
    """How soon a cloud of 1,000 functions is ready again: from the command to its answer."""
    start = ("start", "-d", "--port", "0", "--state-dir", str(scratch / "restarted"))
    cloud = relambda(*start)
    samples, cpus = list[float](), list[float]()
    try:
        filled(cloud, range(SOME))
        for _ in range(RESTARTS):
            relambda("stop", "--state-dir", cloud["state_dir"])
            before, began = _children_seconds(), time.perf_counter()
            cloud = relambda(*start)
            samples.append((time.perf_counter() - began) * 1000)
            cpus.append((_children_seconds() - before + cpu_seconds(cloud)) * 1000)
    finally:
        relambda("stop", "--state-dir", cloud["state_dir"])
    cpu = sorted(cpus)[len(cpus) // 2]
    yield of_samples(f"restart with {SOME:,} functions, command to Ready", samples, target="<= 1000", cpu_ms=cpu)


def _children_seconds() -> float:
    """Processor time of the commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
