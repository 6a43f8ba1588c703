"""Figures from samples: medians and tails, from one thread or from several."""

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, in milliseconds or a second's worth, beside what it should be.

    `cpu_ms` is the processor time that the cloud had for one of them, in milliseconds: a busy machine changes it least.
    """

    name: str
    unit: str
    value: float
    p99: float | None = None
    target: str = ""
    note: str = ""
    cpu_ms: float | None = None

    def row(self) -> dict[str, Any]:
        """It as JSON."""
        return asdict(self)


def latency(name: str, once: Callable[[], object], count: int, *, target: str = "", note: str = "") -> Figure:
    """Median and 99th percentile of `count` calls, in milliseconds."""
    samples = []
    for _ in range(count):
        began = time.perf_counter()
        once()
        samples.append((time.perf_counter() - began) * 1000)
    return of_samples(name, samples, target=target, note=note)


def of_samples(
    name: str, samples: list[float], *, target: str = "", note: str = "", cpu_ms: float | None = None
) -> Figure:
    """Median and 99th percentile of samples in milliseconds."""
    p99 = statistics.quantiles(samples, n=100)[98] if len(samples) >= 100 else max(samples)
    return Figure(name, "ms", statistics.median(samples), p99, target, note, cpu_ms)


def throughput(
    name: str,
    client: Callable[[], Callable[[], object]],
    clients: int,
    seconds: float,
    *,
    target: str = "",
    cpu: Callable[[], float] | None = None,
    rounds: int = 1,
) -> Figure:
    """Calls a second of `clients` threads, each with what `client` makes for it; an error ends the measurement.

    The median of `rounds`; `cpu` tells the seconds of processor time that the cloud has had by now.
    """
    rates, costs = list[float](), list[float]()
    for _ in range(rounds):
        before = cpu() if cpu else 0.0
        count, took = _together(client, clients, seconds)
        rates.append(count / took)
        costs.append(((cpu() if cpu else 0.0) - before) * 1000 / max(count, 1))
    cost = statistics.median(costs) if cpu else None
    return Figure(name, "per s", statistics.median(rates), target=target, cpu_ms=cost)


def _together(client: Callable[[], Callable[[], object]], clients: int, seconds: float) -> tuple[int, float]:
    """How many calls all clients made together, and in how many seconds."""
    counts, errors = [0] * clients, list[BaseException]()
    until = time.perf_counter() + seconds

    def work(index: int) -> None:
        try:
            once = client()
            while time.perf_counter() < until:
                once()
                counts[index] += 1
        except BaseException as error:  # noqa: BLE001 - told below, in the thread that asked
            errors.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return sum(counts), time.perf_counter() - began
