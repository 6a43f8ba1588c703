"""Hot reload: from a saved file to the answer of the new code, in a small folder and in a large one."""

import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench_cloud import (  # type: ignore[import-not-found]
    FUNCTIONS,
    connector,
    creation,
    invoke_ms,
    ok,
    post,
    relambda,
    wait_active,
)
from http_client import Connection  # type: ignore[import-not-found]
from measure import Figure, latency, of_samples  # type: ignore[import-not-found]

from relambda.actors.engine.docker_engine import DockerEngine

LARGE = 20_000
LOADS = """import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"{edit}", {address})
def handler(event, context): pass
"""


def hot_reload(scratch: Path) -> Iterator[Figure]:
    """Where the system notifies of changes, and where a folder has to be looked at as a whole."""
    large = _folder(scratch / "large", LARGE)
    yield from _in_a_cloud(
        scratch / "notified",
        "0",
        lambda cloud: [
            _edited(cloud, _folder(scratch / "small")),
            _restarted(cloud, _folder(scratch / "noticed")),
            *_in_a_large_folder(cloud, large, f"{LARGE:,} files"),
        ],
    )
    yield from _in_a_cloud(
        scratch / "polled", "1", lambda cloud: [*_in_a_large_folder(cloud, large, f"{LARGE:,} files, polled")]
    )


def _in_a_cloud(state: Path, polling: str, measured: Callable[[dict[str, Any]], list[Figure]]) -> list[Figure]:
    os.environ["RELAMBDA_HOT_RELOAD_POLLING"] = polling
    try:
        cloud = relambda("start", "-d", "--port", "0", "--state-dir", str(state))
    finally:
        del os.environ["RELAMBDA_HOT_RELOAD_POLLING"]
    try:
        return measured(cloud)
    finally:
        relambda("stop", "--state-dir", str(state))


def _folder(folder: Path, files: int = 0) -> Path:
    """A new one, with so many files of dependencies in it, eight in each folder."""
    folder.mkdir(mode=0o755)
    for number in range(files):
        package = folder / "node_modules" / f"p{number // 200}" / f"m{number // 8 % 25}"
        package.mkdir(parents=True, exist_ok=True)
        (package / f"{number}.js").touch()
    return folder


def _create(connection: Connection, name: str, folder: Path) -> None:
    post(connection, FUNCTIONS, creation(name, {"S3Bucket": "hot-reload", "S3Key": str(folder)}))
    wait_active(connection, name)


def _edited(cloud: dict[str, Any], folder: Path, what: str = "") -> Figure:
    """A file is saved, and the function invoked at once: until the answer of the new code."""
    samples = []
    with connector(cloud)() as connection:
        for edit in range(51):
            began = time.perf_counter()
            (folder / "index.py").write_text(f"def handler(event, context):\n    return {edit}\n")
            if edit == 0:
                _create(connection, f"hot-{folder.name}", folder)
            answer = ok(connection.request("POST", f"{FUNCTIONS}/hot-{folder.name}/invocations", b"{}"))
            if answer != str(edit).encode():
                raise RuntimeError(f"stale code: {answer!r} after edit {edit}")
            samples.append((time.perf_counter() - began) * 1000)
    target = "" if what else "p50 <= 100"
    return of_samples(", ".join(filter(None, ["hot reload, edit to fresh answer", what])), samples[1:], target=target)


def _restarted(cloud: dict[str, Any], folder: Path) -> Figure:
    """A file is saved and nobody invokes: until the restarted runtime has loaded it, which it tells by a datagram."""
    samples = []
    engine = DockerEngine(f"bench-{uuid.uuid4().hex}")
    with connector(cloud)() as connection, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as told:
        told.bind((engine.runtime_api_host(), 0))
        told.settimeout(30)
        for edit in range(31):
            began = time.perf_counter()
            (folder / "index.py").write_text(LOADS.format(address=told.getsockname(), edit=edit))
            if edit == 0:
                _create(connection, "noticed", folder)
                ok(connection.request("POST", f"{FUNCTIONS}/noticed/invocations", b"{}"))
            while told.recv(100) != str(edit).encode():
                continue
            samples.append((time.perf_counter() - began) * 1000)
            time.sleep(0.2)  # a person's next edit finds an idle function, not one that is starting
    engine.close()
    return of_samples("hot reload, edit to restarted runtime", samples[1:], target="p50 <= 100")


def _in_a_large_folder(cloud: dict[str, Any], folder: Path, what: str) -> Iterator[Figure]:
    yield _edited(cloud, folder, what)
    with connector(cloud)() as connection:
        name = f"hot reload, invoke without an edit, {what}"
        yield latency(name, lambda: invoke_ms(connection, f"hot-{folder.name}"), 100)
