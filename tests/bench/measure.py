"""Figures from samples: medians and tails, from one thread or from several."""

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, in milliseconds or a second's worth, beside what it should be."""

    name: str
    unit: str
    value: float
    p99: float | None = None
    target: str = ""
    note: str = ""

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


def of_samples(name: str, samples: list[float], *, target: str = "", note: str = "") -> Figure:
    """Median and 99th percentile of samples in milliseconds."""
    p99 = statistics.quantiles(samples, n=100)[98] if len(samples) >= 100 else max(samples)
    return Figure(name, "ms", statistics.median(samples), p99, target, note)


def throughput(
    name: str, client: Callable[[], Callable[[], object]], clients: int, seconds: float, *, target: str = ""
) -> Figure:
    """Calls a second of `clients` threads, each with what `client` makes for it; an error ends the measurement."""
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
    return Figure(name, "per s", sum(counts) / (time.perf_counter() - began), target=target)
