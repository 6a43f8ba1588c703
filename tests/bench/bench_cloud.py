"""A cloud to be measured: started by the command line, asked by raw clients, its processes watched in /proc."""

import io
import json
import os
import subprocess
import sys
import time
import zipfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

from http_client import Connection  # type: ignore[import-not-found]

RUNTIME = "python3.11"
FUNCTIONS = "/2015-03-31/functions"
SOURCE = "def handler(event, context):\n    return event\n"


def relambda(*arguments: str) -> dict[str, Any]:
    """Run the command line with --json; its modules are compiled once, as an installed one's are."""
    command = [sys.executable, "-P", "-m", "relambda.api.cli", *arguments, "--json"]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False, env=environ)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


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


def wait_active(connection: Connection, name: str) -> None:
    """Look until the function is Active."""
    until = time.perf_counter() + 120
    while json.loads(ok(connection.request("GET", f"{FUNCTIONS}/{name}/configuration")))["State"] != "Active":
        if time.perf_counter() > until:
            raise TimeoutError(f"{name} is not Active after 120 s")
        time.sleep(0.002)


def post(connection: Connection, path: str, body: bytes) -> None:
    """A POST that must succeed."""
    ok(connection.request("POST", path, body))


def ok(answer: tuple[int, bytes]) -> bytes:
    """The body of an answer that is no error. Raises RuntimeError."""
    status, body = answer
    if status >= 300:
        raise RuntimeError(f"HTTP {status}: {body[:500]!r}")
    return body


def invoke_ms(connection: Connection, name: str) -> float:
    """Milliseconds of one invoke."""
    began = time.perf_counter()
    ok(connection.request("POST", f"{FUNCTIONS}/{name}/invocations", b'{"k":1}'))
    return (time.perf_counter() - began) * 1000


def memory_mb(cloud: dict[str, Any]) -> float:
    """Proportional memory of the cloud's processes, in MB."""
    lines = (line for pid in processes(cloud) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def processes(cloud: dict[str, Any]) -> list[int]:
    """The ids of a cloud's processes: the master, and the worker, which serves."""
    about = json.loads((Path(cloud["state_dir"]) / "cloud.json").read_text())
    return [int(about["pid"]), int(about["worker"])]


def cpu_seconds(cloud: dict[str, Any]) -> float:
    """Processor time that a cloud's processes have had, in user and in system mode."""
    ticks = 0
    for pid in processes(cloud):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
