"""`make bench`: what a cloud does a second, on this machine, now; a table, and JSON in build/bench.json."""

import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent))
from bench_cloud import (  # type: ignore[import-not-found]
    RUNTIME,
    SOURCE,
    caller,
    connector,
    create,
    invoke_ms,
    memory_mb,
    relambda,
)
from cold_starts import cold_starts  # type: ignore[import-not-found]
from control_plane import control_plane, restarts  # type: ignore[import-not-found]
from floor import floor  # type: ignore[import-not-found]
from hot_reload import hot_reload  # type: ignore[import-not-found]
from measure import Figure, latency, of_samples, throughput  # type: ignore[import-not-found]


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
    "hot-reload": hot_reload,
    "control-plane": control_plane,
    "restarts": restarts,
}

if __name__ == "__main__":
    main(sys.argv[1:])
