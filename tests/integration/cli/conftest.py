import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from relambda.api.cloud_file import CloudFile

COMMAND = (sys.executable, "-P", "-m", "relambda.api.cli")
SECONDS = 60


class Done(Protocol):
    """A command that ended."""

    returncode: int
    stdout: str
    stderr: str


class Command(Protocol):
    """Runs `relambda` with arguments and environment variables beside this process's own."""

    def __call__(self, *arguments: object, **environ: str) -> Done: ...


class Clouds:
    """State directories in one temporary folder; whatever was started on them is ended afterwards."""

    def __init__(self, root: Path, relambda: Command) -> None:
        self.root, self._relambda = root, relambda
        self._directories: list[Path] = []

    def directory(self, name: str = "state") -> Path:
        path = self.root / name
        self._directories.append(path)
        return path

    def start(self, name: str = "state", **environ: str) -> dict[str, Any]:
        where = ("--state-dir", self.directory(name))
        done = self._relambda("start", "-d", "--host", "127.0.0.1", "--port", 0, *where, "--json", **environ)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def foreground(self, name: str = "state", *arguments: str) -> subprocess.Popen[str]:
        where = ("--state-dir", str(self.directory(name)), "--host", "127.0.0.1", "--port", "0")
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a cloud under nohup, as these tests may be, ignores hang-ups
        return subprocess.Popen(
            [*COMMAND, "start", *where, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def end(self) -> None:
        for directory in self._directories:
            found = CloudFile.read(directory)
            for process in (found.master, found.worker) if found else ():
                if process.alive():
                    os.kill(process.pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def relambda() -> Command:
    def run(*arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
        command = [*COMMAND, *(str(argument) for argument in arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, check=False, env=os.environ | environ
        )

    return run


@pytest.fixture
def clouds(tmp_path: Path, relambda: Command) -> Iterator[Clouds]:
    """Clouds of this test alone."""
    made = Clouds(tmp_path, relambda)
    yield made
    made.end()
