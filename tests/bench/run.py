"""`make bench`: what a cloud does a second, on this machine, now; a table, and JSON in build/bench.json."""

import json
import os
import platform
import socket
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from relambda.actors.engine.docker_engine import DockerEngine

sys.path.insert(0, str(Path(__file__).parent))
from bench_cloud import (  # type: ignore[import-not-found]
    FUNCTIONS,
    RUNTIME,
    SOURCE,
    caller,
    connector,
    create,
    creation,
    invoke_ms,
    memory_mb,
    ok,
    post,
    relambda,
    wait_active,
)
from cold_starts import cold_starts  # type: ignore[import-not-found]
from control_plane import control_plane, restarts  # type: ignore[import-not-found]
from floor import floor  # type: ignore[import-not-found]
from measure import Figure, latency, of_samples, throughput  # type: ignore[import-not-found]

LOADS = """import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"{edit}", {address})
def handler(event, context): pass
"""


def main(parts: Iterable[str]) -> None:
    """Measure these parts, or all of them."""
    figures = list[Figure]()
    with tempfile.TemporaryDirectory(prefix="relambda-bench-") as scratch:
        for part in parts or PARTS:
            figures += PARTS[part](Path(scratch))
    report(figures)


def data_plane(scratch: Path) -> Iterator[Figure]:
    """Invokes against one cloud, beside the floor of the same run."""
    yield from floor(RUNTIME, SOURCE)
    cloud = relambda("start", "-d", "--port", "0", "--state-dir", str(scratch / "invokes"))
    try:
        yield from invokes(cloud)
        yield hot_reload(cloud, scratch / "code")
        yield hot_restart(cloud, scratch / "noticed")
    finally:
        relambda("stop", "--state-dir", cloud["state_dir"])


def invokes(cloud: dict[str, Any]) -> list[Figure]:
    """Cold, warm, many at once."""
    connect = connector(cloud)
    with connect() as connection:
        created = [create(connection, f"cold-{index}") for index in range(9)]
        cold = [invoke_ms(connection, f"cold-{index}") for index in range(9)]
        idle = memory_mb(cloud)
        for _ in range(200):
            invoke_ms(connection, "cold-0")
        warm = latency("warm invoke", lambda: invoke_ms(connection, "cold-0"), 3000, target="p50 <= 1.5, p99 <= 5")
    return [
        of_samples("create to Active, image present", created, target="<= 100"),
        of_samples("cold start, create to first response", cold, target="p50 <= 350"),
        warm,
        throughput("invokes, 8 clients", caller(connect, lambda c: invoke_ms(c, "cold-0")), 8, 8.0, target=">= 600"),
        Figure("memory of the cloud, idle, 9 functions", "MB", idle, target="<= 150"),
    ]


def hot_reload(cloud: dict[str, Any], folder: Path) -> Figure:
    """A file is saved, and the function invoked at once: until the answer of the new code."""
    folder.mkdir(mode=0o755)
    samples = []
    with connector(cloud)() as connection:
        for edit in range(51):
            began = time.perf_counter()
            (folder / "index.py").write_text(f"def handler(event, context):\n    return {edit}\n")
            if edit == 0:
                post(connection, FUNCTIONS, creation("hot", {"S3Bucket": "hot-reload", "S3Key": str(folder)}))
                wait_active(connection, "hot")
            answer = ok(connection.request("POST", f"{FUNCTIONS}/hot/invocations", b"{}"))
            if answer != str(edit).encode():
                raise RuntimeError(f"stale code: {answer!r} after edit {edit}")
            samples.append((time.perf_counter() - began) * 1000)
    return of_samples("hot reload, edit to fresh answer", samples[1:], target="p50 <= 100")


def hot_restart(cloud: dict[str, Any], folder: Path) -> Figure:
    """A file is saved and nobody invokes: until the restarted runtime has loaded it, which it tells by a datagram."""
    folder.mkdir(mode=0o755)
    samples = []
    engine = DockerEngine(f"bench-{uuid.uuid4().hex}")
    with connector(cloud)() as connection, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as told:
        told.bind((engine.runtime_api_host(), 0))
        told.settimeout(30)
        for edit in range(31):
            began = time.perf_counter()
            (folder / "index.py").write_text(LOADS.format(address=told.getsockname(), edit=edit))
            if edit == 0:
                post(connection, FUNCTIONS, creation("noticed", {"S3Bucket": "hot-reload", "S3Key": str(folder)}))
                wait_active(connection, "noticed")
                ok(connection.request("POST", f"{FUNCTIONS}/noticed/invocations", b"{}"))
            while told.recv(100) != str(edit).encode():
                continue
            samples.append((time.perf_counter() - began) * 1000)
            time.sleep(0.2)  # a person's next edit finds an idle function, not one that is starting
    engine.close()
    return of_samples("hot reload, edit to restarted runtime", samples[1:], target="p50 <= 100")


def report(figures: list[Figure]) -> None:
    """Print the table, write the JSON."""
    table = Table(title=f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {datetime.now(UTC):%F}")
    for column in ("figure", "median", "p99", "unit", "cloud's CPU", "target"):
        table.add_column(column, justify="left" if column in {"figure", "target"} else "right")
    for figure in figures:
        p99 = "" if figure.p99 is None else f"{figure.p99:.2f}"
        cpu = "" if figure.cpu_ms is None else f"{figure.cpu_ms:.2f} ms"
        table.add_row(figure.name, f"{figure.value:.2f}", p99, figure.unit, cpu, figure.target)
    Console(width=120).print(table)
    out = Path("build/bench.json")
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps([figure.row() for figure in figures], indent=1))


PARTS: dict[str, Callable[[Path], Iterable[Figure]]] = {
    "invokes": data_plane,
    "cold-starts": cold_starts,
    "control-plane": control_plane,
    "restarts": restarts,
}

if __name__ == "__main__":
    main(sys.argv[1:])
