"""`make bench`: what a cloud does a second, on this machine, now; a table, and JSON in build/bench.json."""

import io
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
import uuid
import zipfile
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from relambda.actors.engine_docker import DockerEngine

sys.path.insert(0, str(Path(__file__).parent))
from floor import floor  # type: ignore[import-not-found]
from http_client import Connection  # type: ignore[import-not-found]
from measure import Figure, latency, of_samples, throughput  # type: ignore[import-not-found]

RUNTIME = "python3.11"
FUNCTIONS = "/2015-03-31/functions"
LOADS = """import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"{edit}", {address})
def handler(event, context): pass
"""
SOURCE = "def handler(event, context):\n    return event\n"


def main() -> None:
    """Measure everything against one cloud, beside the floor of the same run."""
    figures: list[Figure] = list(floor(RUNTIME, SOURCE))
    with tempfile.TemporaryDirectory(prefix="relambda-bench-") as scratch:
        state = Path(scratch) / "state"
        cloud = relambda("start", "-d", "--port", "0", "--state-dir", str(state))
        try:
            figures += invokes(cloud)
            figures.append(hot_reload(cloud, Path(scratch) / "code"))
            figures.append(hot_restart(cloud, Path(scratch) / "noticed"))
            figures += control_plane(cloud)
            figures += restarts(cloud, state)
        finally:
            relambda("stop", "--state-dir", str(state))
    report(figures)


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


def control_plane(cloud: dict[str, Any]) -> list[Figure]:
    """Writes and reads; the reads with as many functions as there are by then."""
    connect = connector(cloud)
    names = [f"many-{index:05d}" for index in range(1000)]
    with connect() as connection:
        for name in names:
            post(connection, FUNCTIONS, creation(name))
        wait_active(connection, names[-1])
    get = caller(connect, lambda c: ok(c.request("GET", f"{FUNCTIONS}/many-00500")))
    listing = caller(connect, lambda c: ok(c.request("GET", f"{FUNCTIONS}?MaxItems=50")))
    return [
        throughput("CreateFunction, 8 clients, durable", caller(connect, create_one), 8, 4.0),
        throughput("GetFunction, 8 clients", get, 8, 4.0, target=">= 1000"),
        throughput("ListFunctions of 50, 8 clients", listing, 8, 4.0, target=">= 1000"),
    ]


def restarts(cloud: dict[str, Any], state: Path) -> list[Figure]:
    """How soon a cloud with more than 1,000 functions is ready again."""
    with connector(cloud)() as connection:
        count = json.loads(connection.request("GET", "/2016-08-19/account-settings")[1])
    relambda("stop", "--state-dir", str(state))
    began = time.perf_counter()
    relambda("start", "-d", "--port", str(cloud["url"].rsplit(":", 1)[1]), "--state-dir", str(state))
    seconds = time.perf_counter() - began
    held = count["AccountUsage"]["FunctionCount"]
    return [Figure(f"restart with {held} functions, command to Ready", "s", seconds, target="<= 1")]


def connector(cloud: dict[str, Any]) -> Callable[[], Connection]:
    """Makes connections to a cloud."""
    host, port = cloud["url"].removeprefix("http://").split(":")
    return lambda: Connection(host, int(port))


def caller(
    connect: Callable[[], Connection], once: Callable[[Connection], object]
) -> Callable[[], Callable[[], object]]:
    """For each client a connection of its own, and what it does again and again."""

    def client() -> Callable[[], object]:
        connection = connect()
        return lambda: once(connection)

    return client


def creation(name: str, code: dict[str, str] | None = None) -> bytes:
    """The body of a CreateFunction, with a package of its own unless told otherwise."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("index.py", SOURCE)
    request = {
        "FunctionName": name,
        "Runtime": RUNTIME,
        "Role": "arn:aws:iam::111111111111:role/bench",
        "Handler": "index.handler",
        "Code": code or {"ZipFile": b64encode(body.getvalue()).decode()},
    }
    return json.dumps(request).encode()


def create(connection: Connection, name: str) -> float:
    """Milliseconds from the create request to Active."""
    began = time.perf_counter()
    post(connection, FUNCTIONS, creation(name))
    wait_active(connection, name)
    return (time.perf_counter() - began) * 1000


def create_one(connection: Connection) -> None:
    """One function more."""
    post(connection, FUNCTIONS, creation(f"f-{uuid.uuid4().hex}"))


def wait_active(connection: Connection, name: str) -> None:
    """Look until the function is Active."""
    until = time.perf_counter() + 120
    while json.loads(ok(connection.request("GET", f"{FUNCTIONS}/{name}/configuration")))["State"] != "Active":
        if time.perf_counter() > until:
            raise TimeoutError(f"{name} is not Active after 120 s")
        time.sleep(0.002)


def invoke_ms(connection: Connection, name: str) -> float:
    """Milliseconds of one invoke."""
    began = time.perf_counter()
    ok(connection.request("POST", f"{FUNCTIONS}/{name}/invocations", b'{"k":1}'))
    return (time.perf_counter() - began) * 1000


def post(connection: Connection, path: str, body: bytes) -> None:
    """A POST that must succeed."""
    ok(connection.request("POST", path, body))


def ok(answer: tuple[int, bytes]) -> bytes:
    """The body of an answer that is no error. Raises RuntimeError."""
    status, body = answer
    if status >= 300:
        raise RuntimeError(f"HTTP {status}: {body[:500]!r}")
    return body


def memory_mb(cloud: dict[str, Any]) -> float:
    """Proportional memory of the cloud's processes, in MB."""
    about = json.loads((Path(cloud["state_dir"]) / "cloud.json").read_text())
    pids = [about["pid"], about["worker"]]
    lines = (line for pid in pids for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def relambda(*arguments: str) -> dict[str, Any]:
    """Run the command line with --json."""
    command = [sys.executable, "-P", "-m", "relambda.api.cli", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def report(figures: list[Figure]) -> None:
    """Print the table, write the JSON."""
    table = Table(title=f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {datetime.now(UTC):%F}")
    for column in ("figure", "median", "p99", "unit", "target"):
        table.add_column(column, justify="left" if column in {"figure", "target"} else "right")
    for figure in figures:
        p99 = "" if figure.p99 is None else f"{figure.p99:.2f}"
        table.add_row(figure.name, f"{figure.value:.2f}", p99, figure.unit, figure.target)
    Console(width=120).print(table)
    out = Path("build/bench.json")
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps([figure.row() for figure in figures], indent=1))


if __name__ == "__main__":
    main()
