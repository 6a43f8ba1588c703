import json
from pathlib import Path
from typing import Any, Protocol

import pytest

from relambda.api.exit_codes import ExitCode

pytestmark = pytest.mark.docker


class Clouds(Protocol):
    def directory(self, name: str = "state") -> Path: ...
    def start(self, name: str = "state", **environ: str) -> dict[str, Any]: ...


class Done(Protocol):
    returncode: int
    stdout: str
    stderr: str


class Command(Protocol):
    def __call__(self, *arguments: object, **environ: str) -> Done: ...


def test_a_snapshot_is_the_same_from_a_running_cloud_and_from_its_directory(
    clouds: Clouds, relambda: Command, tmp_path: Path
) -> None:
    """Exported over HTTP and from the stopped state, it has the same bytes."""
    where = ("--state-dir", clouds.start()["state_dir"])
    running = relambda("snapshot", "export", tmp_path / "running.pod", *where, "--json")
    relambda("stop", *where)
    stopped = relambda("snapshot", "export", tmp_path / "stopped.pod", *where, "--json")
    assert (running.returncode, stopped.returncode) == (0, 0), running.stderr + stopped.stderr
    assert json.loads(running.stdout)["bytes"] == (tmp_path / "running.pod").stat().st_size
    assert (tmp_path / "running.pod").read_bytes() == (tmp_path / "stopped.pod").read_bytes()


def test_a_snapshot_goes_into_a_running_cloud_and_into_a_directory(
    clouds: Clouds, relambda: Command, tmp_path: Path
) -> None:
    """Both ways of import take what export wrote."""
    pod = tmp_path / "cloud.pod"
    one, two = clouds.start("one"), clouds.start("two")
    relambda("snapshot", "export", pod, "--state-dir", one["state_dir"])
    running = relambda("snapshot", "import", pod, "--state-dir", two["state_dir"], "--json")
    stopped = relambda("snapshot", "import", pod, "--state-dir", clouds.directory("three"), "--json")
    assert (running.returncode, stopped.returncode) == (0, 0), running.stderr + stopped.stderr
    assert json.loads(stopped.stdout)["events"] == json.loads(running.stdout)["events"]


def test_a_damaged_snapshot_is_refused_by_a_running_cloud_and_by_a_directory(
    clouds: Clouds, relambda: Command, tmp_path: Path
) -> None:
    """The exit code and the message say so, and a running cloud goes on."""
    pod = tmp_path / "cloud.pod"
    pod.write_bytes(b"this is no pod" * 100_000)
    where = ("--state-dir", clouds.start()["state_dir"])
    running = relambda("snapshot", "import", pod, *where)
    stopped = relambda("snapshot", "import", pod, "--state-dir", clouds.directory("other"))
    status = relambda("status", *where)
    assert (running.returncode, stopped.returncode) == (ExitCode.REFUSED, ExitCode.REFUSED)
    assert "nothing was changed" in running.stderr
    assert status.returncode == 0


def test_an_export_that_fails_leaves_no_file(clouds: Clouds, relambda: Command, tmp_path: Path) -> None:
    """A file of the name is a whole snapshot or not there."""
    (tmp_path / "out").mkdir()
    refused = relambda("snapshot", "export", tmp_path / "out" / "cloud.pod", "--state-dir", clouds.directory("none"))
    assert refused.returncode != 0
    assert "no state" in refused.stderr
    assert list((tmp_path / "out").iterdir()) == []
