"""A cloud in the background: started in a session of its own, waited for, stopped; every wait has a bound."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from relambda.api.cli import log_file
from relambda.api.cli.http_client import health
from relambda.api.cloud_file import CloudFile, Process
from relambda.api.stopping import STOP_SECONDS

T = TypeVar("T")

START_SECONDS = 90.0
STOP_WAIT_SECONDS = STOP_SECONDS + 5.0
REST_SECONDS = STOP_SECONDS + 5.0
POLL_SECONDS = 0.02
LAST_LINES = 20


class StartFailedError(Exception):
    """Raised when a cloud in the background ended (`code`), or was not ready in time (None) and was stopped."""

    def __init__(self, code: int | None, log: Path) -> None:
        what = f"ended with exit code {code}" if code is not None else "was not ready in time and was stopped"
        lines = [f"  {line}" for line in log_file.last_lines(log, LAST_LINES)]
        super().__init__("\n".join([f"the cloud {what}; the last lines of {log}:", *lines]))
        self.code = code


def start(arguments: list[str], state_dir: Path, timeout: float = START_SECONDS) -> CloudFile:
    """Start `relambda start ARGUMENTS` in the background and wait until it answers. Raises StartFailedError."""
    state_dir.mkdir(parents=True, exist_ok=True)
    log = log_file.path_of(state_dir)
    log_file.trim(log)
    with log.open("ab") as out:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "relambda.api.cli", "start", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    found = _until(lambda: _ready(child, state_dir, log), timeout)
    if found is None:
        _give_up(child)
        raise StartFailedError(None, log)
    child.returncode = 0  # it goes on without us, on purpose
    return found


def _ready(child: subprocess.Popen[bytes], state_dir: Path, log: Path) -> CloudFile | None:
    if (code := child.poll()) is not None:
        raise StartFailedError(code, log)
    found = CloudFile.read(state_dir)
    return found if found and found.master.pid == child.pid and health(found.url) is not None else None


def _give_up(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_WAIT_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait(STOP_WAIT_SECONDS)


def stop(cloud: CloudFile, timeout: float = STOP_WAIT_SECONDS) -> bool:
    """Tell a cloud to stop and wait until all of it has; False when it still runs after `timeout` seconds."""
    try:
        os.kill(cloud.master.pid, signal.SIGTERM)
    except ProcessLookupError:
        return gone(cloud.worker, timeout)
    return gone(cloud.master, timeout) and gone(cloud.worker, timeout)


def gone(process: Process, timeout: float = REST_SECONDS) -> bool:
    """Wait until a process has ended; False when it still runs after `timeout` seconds."""
    return _until(lambda: None if process.alive() else True, timeout) is not None


def _until(ask: Callable[[], T | None], timeout: float) -> T | None:
    deadline = time.monotonic() + timeout
    while (answer := ask()) is None and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return answer
